import { InvalidParameter, NotFound } from '../api/errors.ts';
import { type Filters, matchesAny } from '../api/filters.ts';
import type { NetworkContainer, NetworkInspect } from '../api/resources.ts';
import type { Endpoint, NetworkDriver } from '../drivers/network/driver.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { isAlive } from './containers/life.ts';
import { networkModeOf } from './containers/network-mode.ts';
import type { Daemon, JobHandler } from './daemon.ts';

type Deps = Pick<Daemon, 'networks' | 'containers'>;

/**
 * networks — those that containers can be in, as rows.
 *
 * reads   networks, containers
 * source  Docker Engine API, GET /networks
 */
export const networks =
  (deps: Deps): JobHandler<'networks'> =>
  async (job) =>
    all(deps).filter((network) => fits(job.env.filters, network));

/**
 * network_inspect — one of them, by name, id or unique prefix of its id.
 *
 * reads   networks, containers
 * fails   NotFound · InvalidParameter (ambiguous)
 * source  Docker Engine API, GET /networks/{id}
 */
export const networkInspect =
  (deps: Deps): JobHandler<'network_inspect'> =>
  async (job) => {
    const [asked] = job.args;
    const every = all(deps);
    const exact = every.find(({ Id, Name }) => Id === asked || Name === asked);
    if (exact !== undefined) return exact;
    const [found, ...more] = asked === '' ? [] : every.filter(({ Id }) => Id.startsWith(asked));
    if (found === undefined) throw new NotFound(`network ${asked} not found`);
    if (more.length > 0)
      throw new InvalidParameter(`network ${asked} is ambiguous (${more.length + 1} matches found based on ID prefix)`);
    return found;
  };

function all({ containers, networks: drivers }: Deps): NetworkInspect[] {
  const alive = containers.list().filter(({ State }) => isAlive(State));
  return [...drivers.values()].map((driver) => inspect(driver, alive));
}

function inspect(driver: NetworkDriver, alive: readonly ContainerRecord[]): NetworkInspect {
  const { name: Name, id } = driver;
  const inside = alive.flatMap((record) => {
    const place = driver.endpoints(record.ID)[Name];
    const mode = networkModeOf(record.HostConfig);
    return place !== undefined && mode.kind === 'driver' && mode.name === Name
      ? [[record.ID, rowFor(record, place)] as const]
      : [];
  });
  return {
    Name,
    Id: id,
    Created: '0001-01-01T00:00:00Z',
    Scope: 'local',
    Driver: Name === 'none' ? 'null' : Name,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: null },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(inside),
    Options: {},
    Labels: {},
  };
}

/** Neither network gives an address. */
function rowFor({ Name }: ContainerRecord, { EndpointID }: Endpoint): NetworkContainer {
  return { Name, EndpointID, MacAddress: '', IPv4Address: '', IPv6Address: '' };
}

function fits(filters: Filters, network: NetworkInspect): boolean {
  return (
    matchesAny(filters, 'driver', (value) => network.Driver === value) &&
    matchesAny(filters, 'id', (value) => network.Id.startsWith(value)) &&
    matchesAny(filters, 'name', (value) => network.Name.includes(value)) &&
    matchesAny(filters, 'scope', (value) => network.Scope === value) &&
    matchesAny(filters, 'type', (value) => value === 'builtin') &&
    matchesAny(filters, 'label', () => false) &&
    matchesAny(
      filters,
      'dangling',
      (value) => ['1', 'true'].includes(value) === (Object.keys(network.Containers).length === 0),
    )
  );
}
