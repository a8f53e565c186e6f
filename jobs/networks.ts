import { createHash } from 'node:crypto';
import { InvalidParameter, NotFound } from '../api/errors.ts';
import type { Filters } from '../api/filters.ts';
import type { NetworkInspect } from '../api/resources.ts';
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

function all(deps: Deps): NetworkInspect[] {
  return [...deps.networks].map(([name, driver]) => inspect(deps, name, driver.id));
}

function inspect({ containers }: Deps, Name: string, Id: string): NetworkInspect {
  const inside = containers.list().flatMap((record) => {
    const isIn = record.State.status === 'running' && modeOf(record.HostConfig.NetworkMode) === Name;
    return isIn ? [[record.ID, endpoint(record.Name, `${record.ID}/${Name}`)] as const] : [];
  });
  return {
    Name,
    Id,
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

/** Without bridges the default is none. */
function modeOf(mode: string): string {
  return mode === '' || mode === 'default' || mode === 'bridge' ? 'none' : mode;
}

function endpoint(Name: string, key: string) {
  return { Name, EndpointID: idOf(key), MacAddress: '', IPv4Address: '', IPv6Address: '' };
}

/** Stable over restarts of the daemon: nothing of these networks is stored. */
function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function fits(filters: Filters, network: NetworkInspect): boolean {
  const matches = (key: string, test: (value: string) => boolean) => {
    const values = filters.get(key) ?? [];
    return values.length === 0 || values.some(test);
  };
  return (
    matches('driver', (value) => network.Driver === value) &&
    matches('id', (value) => network.Id.startsWith(value)) &&
    matches('name', (value) => network.Name.includes(value)) &&
    matches('scope', (value) => network.Scope === value) &&
    matches('type', (value) => value === 'builtin') &&
    matches('label', () => false) &&
    matches('dangling', (value) => ['1', 'true'].includes(value) === (Object.keys(network.Containers).length === 0))
  );
}
