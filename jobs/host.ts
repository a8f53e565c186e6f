import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';
import type { DaemonConfig } from '../api/daemon-config.ts';

/** What this machine is and how the daemon was set up, read once at start (see config.ts and boot.ts). */
export interface Host {
  /** Absolute paths. */
  readonly dataRoot: string;
  readonly execRoot: string;
  /** How cgroups are mounted: pure v2, v1, or v1 with a bare v2 beside it. */
  readonly cgroup: 'v1' | 'hybrid' | 'v2';
  /** Parent of all container cgroups, such as `/gantry`. */
  readonly cgroupParent: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly architecture: 'x86_64' | 'aarch64' | string;
  readonly cpus: number;
  /** As a cpuset writes them: `0-1`. */
  readonly memoryNodes: string;
  /** Bytes. */
  readonly memory: number;
  readonly defaultLogDriver: string;
  readonly defaultLogOptions: Readonly<Record<string, string>>;
  readonly defaultShmSize: number;
  readonly defaultUlimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly defaultRuntime: string;
  /** Every container gets an init unless it says otherwise (`--init`). */
  readonly init: boolean;
  readonly noNewPrivileges: boolean;
  readonly labels: readonly string[];
  readonly debug: boolean;
  /** Stable id of this installation, kept in the data root. */
  readonly id: string;
  readonly hostname: string;
}

/** Asks the machine. `id` is the installation's. */
export async function detectHost(config: DaemonConfig, cgroup: Host['cgroup'], id: string): Promise<Host> {
  return {
    dataRoot: config['data-root'],
    execRoot: config['exec-root'],
    cgroup,
    cgroupParent: config['cgroup-parent'],
    kernelVersion: release(),
    operatingSystem: (await readOsRelease()).get('PRETTY_NAME') ?? 'Linux',
    architecture: machine(),
    cpus: availableParallelism(),
    memoryNodes: await readMemoryNodes(),
    memory: totalmem(),
    defaultLogDriver: config['log-driver'],
    defaultLogOptions: config['log-opts'],
    defaultShmSize: config['default-shm-size'],
    defaultUlimits: config['default-ulimits'],
    defaultRuntime: config['default-runtime'],
    init: config.init,
    noNewPrivileges: config['no-new-privileges'],
    labels: config.labels,
    debug: config.debug,
    id,
    hostname: hostname(),
  };
}

/** Those that hold memory, as the kernel lists them; one where it knows of none. */
async function readMemoryNodes(): Promise<string> {
  const text = await readFile('/sys/devices/system/node/has_memory', 'utf8').catch(() => '');
  return text.trim() || '0';
}

/** os-release(5): `NAME="value"` lines. */
export async function readOsRelease(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() =>
    readFile('/usr/lib/os-release', 'utf8').catch(() => ''),
  );
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(['"]?)(.*)\2$/.exec(line.trim());
    if (match !== null) fields.set(match[1] ?? '', match[3] ?? '');
  }
  return fields;
}
