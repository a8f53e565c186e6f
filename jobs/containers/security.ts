/** (pure) `--security-opt`, `--cap-add`, `--cap-drop`, `--sysctl`, namespace modes: read and checked. */
import { capabilityNamed } from '../../api/capabilities.ts';
import type { HostConfig } from '../../api/container.ts';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';
import { parseSeccompProfile, type SeccompProfile } from '../../api/seccomp-profile.ts';
import { sysctlNamespace } from '../../api/sysctls.ts';

export interface SecurityOptions {
  /** null: as the daemon has it. */
  readonly noNewPrivileges: boolean | null;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  /** `systempaths=unconfined`: nothing masked, nothing read-only. */
  readonly openSystemPaths: boolean;
  readonly warnings: readonly string[];
}

/** Fails with InvalidParameter or NotImplemented. Source: daemon/daemon_unix.go, `parseSecurityOpt`. */
export function securityOptionsOf({ SecurityOpt }: Pick<HostConfig, 'SecurityOpt'>): SecurityOptions {
  let options: SecurityOptions = { noNewPrivileges: null, seccomp: 'default', openSystemPaths: false, warnings: [] };
  for (const option of SecurityOpt ?? []) options = { ...options, ...parseOption(option, options) };
  return options;
}

function parseOption(option: string, before: SecurityOptions): Partial<SecurityOptions> {
  if (option === 'no-new-privileges') return { noNewPrivileges: true };
  const at = option.search(/[=:]/);
  if (at === -1) throw new InvalidParameter(`invalid --security-opt 1: "${option}"`);
  const key = option.slice(0, at);
  const value = option.slice(at + 1);
  switch (key) {
    case 'no-new-privileges':
      if (value !== 'true' && value !== 'false') throw new InvalidParameter(`invalid --security-opt 2: "${option}"`);
      return { noNewPrivileges: value === 'true' };
    case 'seccomp':
      if (value === 'unconfined') return { seccomp: 'unconfined' };
      return { seccomp: value === 'builtin' ? 'default' : parseSeccompProfile(value) };
    case 'systempaths':
      if (value !== 'unconfined') throw new InvalidParameter(`invalid --security-opt 2: "${option}"`);
      return { openSystemPaths: true };
    case 'apparmor':
      return value === 'unconfined' ? {} : { warnings: [...before.warnings, notThere('AppArmor', option)] };
    case 'label':
      return value === 'disable' ? {} : { warnings: [...before.warnings, notThere('SELinux', option)] };
    case 'writable-cgroups':
      if (value === 'false') return {};
      throw new NotImplemented('writable cgroups are not available yet');
    default:
      throw new InvalidParameter(`invalid --security-opt 2: "${option}"`);
  }
}

function notThere(module: string, option: string): string {
  return `${module} is not in use on this engine: --security-opt ${option} is discarded.`;
}

/** Fails with InvalidParameter for a name that Linux does not have. */
export function checkCapabilities({ CapAdd, CapDrop }: HostConfig): void {
  for (const [field, names] of Object.entries({ CapAdd, CapDrop })) {
    for (const name of names ?? []) {
      const { whole, isKnown } = capabilityNamed(name);
      if (!isKnown) throw new InvalidParameter(`invalid ${field}: unknown capability: "${whole}"`);
    }
  }
}

/** Only what belongs to a namespace of the container's own may be set. Words: runc, `validate/validator.go`. */
export function checkSysctls(host: HostConfig): void {
  for (const [name, value] of Object.entries(host.Sysctls ?? {})) {
    if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(name) || /[\0\n\r]/.test(value)) {
      throw new InvalidParameter(`invalid sysctl '${name}=${value}'`);
    }
    const namespace = sysctlNamespace(name);
    if (namespace === null) throw new InvalidParameter(`sysctl "${name}" is not in a separate kernel namespace`);
    if (namespace === 'ipc' && host.IpcMode === 'host') {
      throw new InvalidParameter(`sysctl "${name}" is not allowed in the host IPC namespace`);
    }
    if (namespace === 'network' && host.NetworkMode === 'host') {
      throw new InvalidParameter(`sysctl "${name}" not allowed in host network namespace`);
    }
  }
}

const MODES = {
  IpcMode: ['', 'private', 'shareable', 'host', 'none'],
  PidMode: ['', 'private', 'host'],
  UTSMode: ['', 'host'],
  UsernsMode: ['', 'host'],
  CgroupnsMode: ['', 'private', 'host'],
} as const;
const WORDS = {
  IpcMode: 'Invalid IPC',
  PidMode: 'invalid PID',
  UTSMode: 'invalid UTS',
  UsernsMode: 'invalid userns',
  CgroupnsMode: 'invalid cgroup namespace',
} as const;

/** Fails with InvalidParameter for a mode that no namespace has. */
export function checkNamespaceModes(host: HostConfig): void {
  for (const field of ['IpcMode', 'PidMode', 'UTSMode', 'UsernsMode', 'CgroupnsMode'] as const) {
    const modes: readonly string[] = MODES[field];
    const isJoin = /^container:.+/.test(host[field]);
    if (modes.includes(host[field]) || (field === 'PidMode' && isJoin)) continue;
    if (field === 'IpcMode' && isJoin) {
      throw new NotImplemented(
        `IPC mode ${host[field]} is not available: the shared memory of another container cannot be mounted yet, use --ipc host or a tmpfs volume`,
      );
    }
    throw new InvalidParameter(`${WORDS[field]} mode: ${host[field]}`);
  }
}
