/**
 * containers — the rows of `docker ps`: newest first, those that run unless asked otherwise.
 *
 * reads   containers, references; layers with `size`
 * fails   InvalidParameter (filters) · NoSuchContainer (before, since)
 * source  Docker Engine API, GET /containers/json; daemon/list.go
 */
import type { ContainerSummary } from '../../api/container.ts';
import { parseReference, withDefaultTag } from '../../api/reference.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import { mapBounded } from '../../std/map-bounded.ts';
import { fromRFC3339, type Nanos, now } from '../../std/timestamp.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { wireMountPoint } from './inspect.ts';
import { isUp } from './life.ts';
import { type ListFilter, listFilter } from './list-filter.ts';
import { endpointsOf } from './network-settings.ts';
import { sizesOf } from './sizes.ts';
import { statusText } from './status.ts';

/** Layers walked at a time. */
const SIZES_AT_ONCE = 4;

type Deps = Pick<Daemon, 'containers' | 'images' | 'layers' | 'networks' | 'references'>;

export const containers =
  (deps: Deps): JobHandler<'containers'> =>
  async (job) => {
    const filter = listFilter(job.env, deps);
    const found = limited(deps.containers.list(), filter, job.env);
    const instant = now();
    if (!job.env.size) return found.map((container) => summaryOf(container, deps, instant));
    return mapBounded(found, SIZES_AT_ONCE, async (container) => ({
      ...summaryOf(container, deps, instant),
      ...(await sizesOf(container, deps)),
    }));
  };

/** A limit, or a status asked for, brings in those that do not run. */
function limited(
  all: readonly ContainerRecord[],
  filter: ListFilter,
  { all: isAll, limit }: { all: boolean; limit: number },
): ContainerRecord[] {
  const found: ContainerRecord[] = [];
  for (const container of all) {
    if (limit > 0 && found.length === limit) break;
    const isShown = isAll || limit > 0 || filter.asksForStatus || isUp(container.State);
    if (isShown && filter.matches(container)) found.push(container);
  }
  return found;
}

function summaryOf(container: ContainerRecord, deps: Deps, instant: Nanos): ContainerSummary {
  const { HostConfig, Config } = container;
  return {
    Id: container.ID,
    Names: [`/${container.Name}`],
    Image: imageNameOf(container, deps),
    ImageID: container.ImageID,
    Command: commandText(container),
    Created: Number((fromRFC3339(container.Created) ?? 0n) / 1_000_000_000n),
    Ports: [],
    Labels: Config.Labels ?? {},
    State: container.State.status,
    Status: statusText(container.State, instant),
    HostConfig: {
      NetworkMode: HostConfig.NetworkMode,
      ...(HostConfig.Annotations === null ? {} : { Annotations: HostConfig.Annotations }),
    },
    NetworkSettings: { Networks: endpointsOf(container, deps) },
    Mounts: container.MountPoints.map(wireMountPoint),
  };
}

/** As the user named it; when that name means another image by now, the id. */
function imageNameOf({ Config: { Image }, ImageID }: ContainerRecord, { references }: Deps): string {
  if (/^(sha256:)?[0-9a-f]+$/.test(Image)) return Image;
  try {
    const reference = withDefaultTag(parseReference(Image));
    return references.resolve(reference) === ImageID ? Image : ImageID;
  } catch {
    return Image;
  }
}

function commandText({ Path, Args }: ContainerRecord): string {
  return [Path, ...Args.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' ');
}
