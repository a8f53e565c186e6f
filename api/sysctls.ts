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

/** The namespace that a setting of sysctl(8), with dots, belongs to; null for one of the whole machine. */
export function sysctlNamespace(name: string): 'ipc' | 'network' | null {
  if (IPC.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  return name.startsWith('net.') ? 'network' : null;
}
