/** (pure) Everything mounted in a container, in order: the kernel's filesystems, then the user's, parents first. */
import type { HostConfig } from '../../api/container.ts';
import type { OciMount } from '../../api/oci.ts';
import type { ContainerRecord, MountPoint } from '../../state/container-record.ts';

/** Files of the container's folder that are bound into its /etc, by their name there. */
export type NetworkFiles = Readonly<Partial<Record<'resolv.conf' | 'hostname' | 'hosts', string>>>;

export interface MountFacts {
  readonly files: NetworkFiles;
}

const SAFE = ['nosuid', 'noexec', 'nodev'];

export function specMounts(container: ContainerRecord, facts: MountFacts): OciMount[] {
  const users = userMounts(container);
  const taken = new Set(users.map((mount) => mount.destination));
  const files = fileMounts(facts.files);
  return [...systemMounts(container.HostConfig), ...files]
    .filter((mount) => !taken.has(mount.destination))
    .concat(users)
    .map((mount, index) => ({ mount, index, depth: depthOf(mount.destination) }))
    .sort((a, b) => rank(a.mount) - rank(b.mount) || a.depth - b.depth || a.index - b.index)
    .map(({ mount }) => mount);
}

/** /proc and /dev first: what follows may lie in them. */
function rank({ destination, type }: OciMount): number {
  if (type === 'proc') return 0;
  return destination === '/dev' ? 1 : 2;
}

const depthOf = (path: string): number => path.split('/').length;

function systemMounts(wishes: HostConfig): OciMount[] {
  const access = wishes.Privileged ? 'rw' : 'ro';
  const pseudo = (destination: string, type: string, options: readonly string[]): OciMount => ({
    destination,
    type,
    source: type,
    options,
  });
  return [
    pseudo('/proc', 'proc', SAFE),
    pseudo('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    pseudo('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5']),
    pseudo('/sys', 'sysfs', [...SAFE, access]),
    pseudo('/sys/fs/cgroup', 'cgroup', [...SAFE, access]),
    ...ipcMounts(wishes),
  ];
}

/** Shared memory goes with the ipc namespace: the host's is bound, a new one is made. */
function ipcMounts({ IpcMode: mode, ShmSize }: HostConfig): OciMount[] {
  const bound = (path: string, source: string): OciMount => ({
    destination: path,
    type: 'bind',
    source,
    options: ['rbind', ...SAFE],
  });
  const mqueue: OciMount = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: SAFE };
  if (mode === 'host') return [mqueue, bound('/dev/shm', '/dev/shm')];
  if (mode === 'none') return [mqueue];
  const options = [...SAFE, 'mode=1777', `size=${ShmSize}`];
  return [mqueue, { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options }];
}

function userMounts(container: ContainerRecord): OciMount[] {
  const { Tmpfs } = container.HostConfig;
  return [
    ...container.MountPoints.map((point) => mountOf(point, container)),
    ...Object.entries(Tmpfs ?? {}).map(([destination, options]) => tmpfs(destination, options.split(','))),
  ];
}

function mountOf(point: MountPoint, container: ContainerRecord): OciMount {
  const asked = container.HostConfig.Mounts?.find((mount) => mount.Target === point.Destination);
  if (point.Type === 'tmpfs') {
    const { SizeBytes = 0, Mode = 0, Options = null } = asked?.TmpfsOptions ?? {};
    return tmpfs(point.Destination, [
      ...(point.RW ? [] : ['ro']),
      ...(Mode === 0 ? [] : [`mode=${Mode.toString(8)}`]),
      ...(SizeBytes === 0 ? [] : [`size=${SizeBytes}`]),
      ...(Options ?? []).map((words) => words.join('=')),
    ]);
  }
  const isAlone = asked?.BindOptions?.NonRecursive === true;
  const bind = isAlone ? 'bind' : 'rbind';
  const options = [bind, ...readonlyWords(point, asked?.BindOptions ?? null), point.Propagation || 'rprivate'];
  const mount = { destination: point.Destination, type: 'bind', source: point.Source, options };
  return isFilledFromImage(point, container) ? { ...mount, copyUp: true } : mount;
}

/** Since 25.0, `ro` counts for what is mounted below the source too, unless one asks otherwise. */
function readonlyWords({ RW, Type }: MountPoint, options: { readonly ReadOnlyNonRecursive: boolean } | null): string[] {
  if (RW) return [];
  return Type === 'bind' && options?.ReadOnlyNonRecursive !== true ? ['rro'] : ['ro'];
}

/** A volume gets what the image has there before the container runs for the first time; later it stays as users leave it. */
function isFilledFromImage(point: MountPoint, { State, HostConfig }: ContainerRecord): boolean {
  if (point.Type !== 'volume' || State.status !== 'created' || point.Mode.split(',').includes('nocopy')) return false;
  return HostConfig.Mounts?.find((mount) => mount.Target === point.Destination)?.VolumeOptions?.NoCopy !== true;
}

function tmpfs(destination: string, options: readonly string[]): OciMount {
  const asked = options.filter((word) => word !== '');
  return { destination, type: 'tmpfs', source: 'tmpfs', options: [...overridden(asked), ...asked] };
}

/** The safe defaults, but for those that the user turns round (`exec`). */
function overridden(asked: readonly string[]): string[] {
  return SAFE.filter((word) => !asked.includes(word.slice('no'.length)));
}

function fileMounts(files: NetworkFiles): OciMount[] {
  return Object.entries(files).map(([name, source]) => ({
    destination: `/etc/${name}`,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate'],
  }));
}
