/** The OCI runtime specification 1.2, as far as this engine writes it (opencontainers/runtime-spec, config.md). */
export interface OciSpec {
  readonly ociVersion: string;
  readonly hostname: string;
  readonly domainname?: string;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly process: OciProcess;
  readonly mounts: readonly OciMount[];
  readonly linux: OciLinux;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
    readonly umask: number;
  };
  /** Names for `additionalGids` that only the rootfs can turn into numbers (`--group-add`); not OCI. */
  readonly groupNames: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj: number;
}

/** Lists of names such as `CAP_CHOWN` (capabilities(7)). */
export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly inheritable: readonly string[];
  readonly permitted: readonly string[];
  readonly ambient: readonly string[];
}

export interface OciMount {
  readonly destination: string;
  /** Filesystem type, or `bind`. */
  readonly type: string;
  /** Host path for a bind. */
  readonly source: string;
  /** As mount(8) writes them: `nosuid`, `rbind`, `ro`, `rprivate`, `size=65536k`, … */
  readonly options: readonly string[];
  /** Fill an empty volume from what the image has at the destination first (`copy-up`); not OCI. */
  readonly copyUp?: boolean;
}

export interface OciNamespace {
  readonly type: 'mount' | 'uts' | 'ipc' | 'pid' | 'network' | 'cgroup' | 'user';
  /** Join this one instead of making one. */
  readonly path?: string;
}

export interface OciDevice {
  readonly path: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type: 'a' | 'b' | 'c';
  /** null for any. */
  readonly major: number | null;
  readonly minor: number | null;
  /** Of `rwm`. */
  readonly access: string;
}

/** Bytes, microseconds, counts; null for "leave as it is". */
export interface OciResources {
  readonly devices: readonly OciDeviceRule[];
  readonly memory: {
    readonly limit: number | null;
    readonly reservation: number | null;
    /** Memory plus swap; -1 for no limit. */
    readonly swap: number | null;
    readonly swappiness: number | null;
    readonly disableOOMKiller: boolean;
  };
  readonly cpu: {
    readonly shares: number | null;
    readonly quota: number | null;
    readonly period: number | null;
    readonly cpus: string;
    readonly mems: string;
  };
  /** null or -1 for no limit. */
  readonly pids: { readonly limit: number | null };
  readonly blockIO: { readonly weight: number | null };
}

export interface OciLinux {
  readonly namespaces: readonly OciNamespace[];
  readonly devices: readonly OciDevice[];
  readonly resources: OciResources;
  /** Relative to the cgroup root, such as `/gantry/<id>`. */
  readonly cgroupsPath: string;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rootfsPropagation: string;
  /** null: no filter. */
  readonly seccomp: OciSeccomp | null;
}

export interface OciSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number | bigint;
      readonly valueTwo?: number | bigint;
      readonly op: string;
    }[];
  }[];
}
