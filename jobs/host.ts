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
  /** Seconds a daemon shutdown waits for containers. */
  readonly shutdownTimeout: number;
}
