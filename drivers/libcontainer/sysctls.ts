import { InvalidParameter } from '../../api/errors.ts';
import { sysctlNamespace } from '../../api/sysctls.ts';
import { type Operation, SLOT } from './program.ts';

const OWNER = 'exec/sysctl';

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
  const namespace = sysctlNamespace(name);
  if (namespace === null) throw new InvalidParameter(`sysctl "${name}" is not in a separate kernel namespace`);
  if (own[namespace]) return;
  const words = { ipc: 'is not allowed in the hosts ipc namespace', network: 'not allowed in host network namespace' };
  throw new InvalidParameter(`sysctl "${name}" ${words[namespace]}`);
}
