import { InvalidParameter } from '../../api/errors.ts';
import { type Operation, SLOT } from './program.ts';

const OWNER = 'exec/sysctl';
/** Settings that belong to an IPC namespace (ipc_namespaces(7)). */
const IPC = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Which namespaces are the container's own. */
export interface OwnNamespaces {
  readonly ipc: boolean;
  readonly network: boolean;
}

/**
 * Writes kernel settings through the container's own procfs, before /proc/sys becomes read-only. Fails with
 * InvalidParameter for a setting that would change the host.
 */
export function sysctlOperations(sysctl: Readonly<Record<string, string>>, own: OwnNamespaces): Operation[] {
  return Object.entries(sysctl).map(([name, data]) => {
    const path = name.replaceAll('.', '/');
    if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)+$/.test(path) || /[\n\0]/.test(data)) {
      throw new InvalidParameter(`invalid sysctl: ${JSON.stringify(`${name}=${data}`)}`);
    }
    refuseHosts(path.replaceAll('/', '.'), own);
    return { op: 'write_beneath', owner: OWNER, root: SLOT.proc, path: `sys/${path}`, data, mode: 0o644, flags: 0 };
  });
}

function refuseHosts(name: string, own: OwnNamespaces): void {
  if (IPC.has(name) || name.startsWith('fs.mqueue.')) {
    if (own.ipc) return;
    throw new InvalidParameter(`sysctl "${name}" is not allowed in the hosts ipc namespace`);
  }
  if (name.startsWith('net.')) {
    if (own.network) return;
    throw new InvalidParameter(`sysctl "${name}" not allowed in host network namespace`);
  }
  throw new InvalidParameter(`sysctl "${name}" is not in a separate kernel namespace`);
}
