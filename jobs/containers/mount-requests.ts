/**
 * (pure) What is to be mounted: `-v`, `--mount`, `--tmpfs` and the image's volumes, read and checked. Grammar, order and
 * words are dockerd's (volume/mounts/linux_parser.go, daemon/volumes.go).
 */
import type { ContainerConfig, HostConfig, Mount } from '../../api/container.ts';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';
import type { MountPoint } from '../../state/container-record.ts';
import { parseBind } from './bind.ts';
import type { MountRequest } from './mount-request.ts';
import { cleanPath, mountTarget } from './mount-target.ts';

/** Under what one start can take. An image may name tens of thousands of volumes, and each would be made first. */
const MAX_MOUNTS = 200;

/** Everything asked for, in order, each destination once; the image's volumes where nothing else is mounted. */
export function mountRequestsOf(
  config: Pick<ContainerConfig, 'Volumes'>,
  host: HostConfig,
  inherited: readonly MountPoint[],
): MountRequest[] {
  if (host.VolumeDriver !== '' && host.VolumeDriver !== 'local') {
    throw new InvalidParameter(
      `error looking up volume plugin ${host.VolumeDriver}: plugin "${host.VolumeDriver}" not found`,
    );
  }
  const asked = [...(host.Binds ?? []).map(parseBind), ...(host.Mounts ?? []).map(parseMount)];
  const destinations = new Set<string>();
  for (const path of [...asked.map((each) => each.Destination), ...Object.keys(host.Tmpfs ?? {}).map(mountTarget)]) {
    if (destinations.has(path)) throw new InvalidParameter(`Duplicate mount point: ${path}`);
    destinations.add(path);
  }
  const fromOthers = inherited.filter((each) => !destinations.has(each.Destination));
  for (const { Destination } of fromOthers) destinations.add(Destination);
  const fromImage = Object.keys(config.Volumes ?? {})
    .map((path) => cleanPath(path))
    .filter((path, index, all) => !destinations.has(path) && all.indexOf(path) === index)
    .map((path) => anonymousVolume(path));
  const all = [...fromOthers, ...asked, ...fromImage];
  if (all.length > MAX_MOUNTS) {
    throw new InvalidParameter(`too many mounts: ${all.length}, a container can have at most ${MAX_MOUNTS}`);
  }
  return all;
}

/** `container[:ro|rw]` of `--volumes-from`. Fails with InvalidParameter. */
export function parseVolumesFrom(text: string): { container: string; mode: 'ro' | 'rw' | '' } {
  if (text === '') throw new InvalidParameter('volumes-from specification cannot be an empty string');
  const [container = '', mode = ''] = text.split(':', 2);
  if (mode !== '' && mode !== 'ro' && mode !== 'rw') throw new InvalidParameter(`invalid mode: ${mode}`);
  return { container, mode };
}

function anonymousVolume(Destination: string): MountRequest {
  return { Type: 'volume', Name: null, Source: '', Destination, Driver: 'local', Mode: '', RW: true, Propagation: '' };
}

/** One `--mount`. */
function parseMount(mount: Mount): MountRequest {
  const inMount = (problem: string) =>
    new InvalidParameter(`invalid mount config for type "${mount.Type}": ${problem}`);
  if (mount.Target === '') throw inMount('field Target must not be empty');
  let Destination: string;
  try {
    Destination = mountTarget(mount.Target);
  } catch (error) {
    throw error instanceof InvalidParameter ? inMount(error.message) : error;
  }
  const rest = { Destination, RW: !mount.ReadOnly };
  switch (mount.Type) {
    case 'bind':
      return { ...rest, ...bindOf(mount, inMount) };
    case 'volume':
      return { ...rest, ...volumeOf(mount, inMount) };
    case 'tmpfs':
      return { ...rest, ...tmpfsOf(mount, inMount) };
    case 'cluster':
    case 'image':
      throw new NotImplemented(`mounts of type "${mount.Type}" are not available yet`);
    default:
      throw inMount('mount type unknown');
  }
}

type Refusal = (problem: string) => InvalidParameter;
type Kind = Omit<MountRequest, 'Destination' | 'RW'>;
const PROPAGATIONS = ['', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

function bindOf(mount: Mount, refuse: Refusal): Kind {
  if (mount.VolumeOptions !== null) throw refuse('field VolumeOptions must not be specified');
  if (mount.TmpfsOptions !== null) throw refuse('field TmpfsOptions must not be specified');
  if (mount.Source === '') throw refuse('field Source must not be empty');
  if (!mount.Source.startsWith('/')) {
    throw refuse(`invalid mount path: '${mount.Source}' mount path must be absolute`);
  }
  const propagation = mount.BindOptions?.Propagation ?? '';
  if (!PROPAGATIONS.includes(propagation)) throw refuse(`invalid propagation mode: ${propagation}`);
  const Source = cleanPath(mount.Source);
  return { Type: 'bind', Name: '', Source, Driver: '', Mode: '', Propagation: propagation || 'rprivate' };
}

function volumeOf(mount: Mount, refuse: Refusal): Kind {
  if (mount.BindOptions !== null) throw refuse('field BindOptions must not be specified');
  if (mount.TmpfsOptions !== null) throw refuse('field TmpfsOptions must not be specified');
  const options = mount.VolumeOptions;
  const driver = options?.DriverConfig?.Name ?? '';
  if (driver !== '' && driver !== 'local') {
    throw new InvalidParameter(`error looking up volume plugin ${driver}: plugin "${driver}" not found`);
  }
  if (Object.keys(options?.DriverConfig?.Options ?? {}).length > 0) {
    throw new NotImplemented('options of the local volume driver are not available yet');
  }
  if ((options?.Subpath ?? '') !== '') throw new NotImplemented('volume-subpath is not available yet');
  const Name = mount.Source === '' ? null : mount.Source;
  return { Type: 'volume', Name, Source: '', Driver: 'local', Mode: 'z', Propagation: '' };
}

function tmpfsOf(mount: Mount, refuse: Refusal): Kind {
  if (mount.BindOptions !== null) throw refuse('field BindOptions must not be specified');
  if (mount.VolumeOptions !== null) throw refuse('field VolumeOptions must not be specified');
  if (mount.Source !== '') throw refuse('field Source must not be specified');
  const { SizeBytes = 0, Mode = 0 } = mount.TmpfsOptions ?? {};
  if (SizeBytes < 0) throw refuse(`invalid tmpfs size: ${SizeBytes}`);
  if (Mode < 0 || Mode > 0o7777) throw refuse(`invalid tmpfs mode: ${Mode}`);
  return { Type: 'tmpfs', Name: '', Source: '', Driver: '', Mode: '', Propagation: '' };
}
