/** Filters of `docker ps`: any value of a key may match, all keys must (moby, daemon/list.go). */

import { InvalidParameter, NotFound } from '../../api/errors.ts';
import type { Filters } from '../../api/filters.ts';
import type { ImageID } from '../../api/ids.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { findImage } from '../../state/find-image.ts';
import { isPattern, matchingWithin } from '../../std/bounded-match.ts';
import { fromRFC3339, type Nanos } from '../../std/timestamp.ts';
import type { Daemon } from '../daemon.ts';
import { outcomeOf } from './life.ts';
import { networkModeOf } from './network-mode.ts';

type Deps = Pick<Daemon, 'containers' | 'images' | 'networks' | 'references'>;
/** For all patterns and names together. */
const NAME_MATCH_MS = 100;

type Test = (container: ContainerRecord) => boolean;

export interface ListFilter {
  readonly matches: Test;
  /** `status`: what does not run is wanted too. */
  readonly asksForStatus: boolean;
}

interface Query {
  readonly before: string;
  readonly since: string;
  readonly filters: Filters;
}

const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const HEALTH = ['none', 'starting', 'healthy', 'unhealthy'];

/** Fails with InvalidParameter, or NotFound for a container that is a bound and is not there. */
export function listFilter({ before, since, filters }: Query, deps: Deps): ListFilter {
  const tests: Test[] = [];
  for (const [key, values] of filters) {
    const make = FILTERS.get(key);
    if (make === undefined) throw new InvalidParameter(`Invalid filter '${key}'`);
    if (values.length > 0) tests.push(make(values, deps));
  }
  if (before !== '') tests.push(isBefore([before], deps));
  if (since !== '') tests.push(isSince([since], deps));
  const asksForStatus = (filters.get('status') ?? []).length > 0;
  return { matches: (container) => tests.every((test) => test(container)), asksForStatus };
}

type Make = (values: readonly string[], deps: Deps) => Test;

const isBefore: Make = (values, deps) => {
  const bounds = values.map((value) => bound(value, deps));
  return (container) => bounds.every((each) => createdAt(container) < each);
};

const isSince: Make = (values, deps) => {
  const bounds = values.map((value) => bound(value, deps));
  return (container) => bounds.every((each) => createdAt(container) > each);
};

function bound(reference: string, { containers }: Deps): Nanos {
  const container = containers.find(reference);
  if (container === null) throw new NotFound(`no such container ${reference}`);
  return createdAt(container);
}

const createdAt = ({ Created }: ContainerRecord): Nanos => fromRFC3339(Created) ?? 0n;

const hasAncestor: Make = (values, deps) => {
  const images = new Set(values.flatMap((value) => imageOf(value, deps) ?? []));
  return ({ ImageID }) => images.has(ImageID);
};

/** An image that is not there is nobody's ancestor. */
function imageOf(reference: string, deps: Deps): ImageID | null {
  try {
    return findImage(deps, reference).id;
  } catch {
    return null;
  }
}

const hasExited: Make = (values) => {
  const codes = values.map((value) => {
    if (!/^[+-]?\d+$/.test(value)) throw new InvalidParameter(`strconv.Atoi: parsing "${value}": invalid syntax`);
    return Number(value);
  });
  return ({ State }) => State.status === 'exited' && codes.includes(outcomeOf(State).exitCode);
};

const hasStatus: Make = (values) => {
  for (const value of values) {
    if (!STATES.includes(value)) throw new InvalidParameter(`Invalid filter 'status=${value}'`);
  }
  return ({ State }) => values.includes(State.status);
};

/** Nothing has a health status yet. */
const hasHealth: Make = (values) => {
  for (const value of values) {
    if (!HEALTH.includes(value)) throw new InvalidParameter(`Unrecognised filter value for health: ${value}`);
  }
  return () => values.includes('none');
};

/** Swarm's: there is none. */
const isTask: Make = (values) => {
  const wanted = values.map((value) => {
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
    if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
    throw new InvalidParameter(`Invalid filter 'is-task=${value}'`);
  });
  return () => wanted.includes(false);
};

/** Unlike others, all values of `label` must match: `key`, or `key=value`. */
const hasLabels: Make =
  (values) =>
  ({ Config }) =>
    values.every((value) => {
      const at = value.indexOf('=');
      const key = at === -1 ? value : value.slice(0, at);
      const found = Object.hasOwn(Config.Labels ?? {}, key) ? Config.Labels?.[key] : undefined;
      return found !== undefined && (at === -1 || found === value.slice(at + 1));
    });

/** Regular expressions, matched with and without the leading slash; what is none is a name. Fails with InvalidParameter. */
const hasName: Make = (values, { containers }) => {
  const names = containers.list().flatMap(({ Name }) => [Name, `/${Name}`]);
  const found = matchingWithin(NAME_MATCH_MS, values.filter(isPattern), names);
  if (found === null) throw new InvalidParameter(`Invalid filter 'name': its patterns take too long`);
  return ({ Name }) => values.includes(Name) || found.has(Name) || found.has(`/${Name}`);
};

const isOnNetwork: Make =
  (values, { networks }) =>
  ({ HostConfig }) => {
    const mode = networkModeOf(HostConfig);
    if (mode.kind === 'container') return false;
    const id = networks.get(mode.name)?.id;
    return values.some((value) => value === mode.name || id === value);
  };

/** `80`, `80/udp`, `8000-8100/tcp`. Fails with InvalidParameter. */
function portTests(values: readonly string[], key: 'publish' | 'expose') {
  return values.map((value) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
    if (match === null) throw new InvalidParameter(`error while looking up for ${key} ${value}: invalid port`);
    const [, first, last = first, protocol = 'tcp'] = match;
    return (port: number, of: string) => port >= Number(first) && port <= Number(last) && of === protocol;
  });
}

const isExposing: Make = (values) => {
  const tests = portTests(values, 'expose');
  return ({ Config }) =>
    Object.keys(Config.ExposedPorts ?? {}).some((exposed) => {
      const [port = '', protocol = 'tcp'] = exposed.split('/');
      return tests.some((test) => test(Number(port), protocol));
    });
};

/** No port is published without a bridge. */
const isPublishing: Make = (values) => {
  portTests(values, 'publish');
  return () => false;
};

const hasVolume: Make =
  (values) =>
  ({ MountPoints }) =>
    MountPoints.some((point) => values.some((value) => [point.Name, point.Source, point.Destination].includes(value)));

const FILTERS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['ancestor', hasAncestor],
  ['before', isBefore],
  ['exited', hasExited],
  ['expose', isExposing],
  ['health', hasHealth],
  ['id', (values) => (container) => values.some((value) => container.ID.startsWith(value))],
  ['is-task', isTask],
  // Windows' way to run containers; all of ours are of one kind.
  ['isolation', () => () => true],
  ['label', hasLabels],
  ['name', hasName],
  ['network', isOnNetwork],
  ['publish', isPublishing],
  ['since', isSince],
  ['status', hasStatus],
  ['volume', hasVolume],
]);
