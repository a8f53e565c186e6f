/** Which namespaces a container makes and which it joins (namespaces(7)). */
import { InvalidParameter } from '../../api/errors.ts';
import type { OciNamespace } from '../../api/oci.ts';
import type { Fragment, Slots } from './fragment.ts';
import type { Operation } from './program.ts';

const OWNER = 'exec/namespaces';
/** sched.h */
export const CLONE = {
  mount: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const satisfies Readonly<Record<OciNamespace['type'], number>>;

export interface NamespacePlan {
  /** CLONE_NEW* bits for `clone`. */
  readonly created: number;
  /** A new cgroup namespace takes for its root where its maker is, so it is made after the cgroups have been joined. */
  readonly newCgroup: boolean;
  readonly joined: Fragment;
  readonly has: (type: OciNamespace['type']) => boolean;
}

/** `newNetwork`: the network plan's wish; a namespace to join goes before it. */
export function namespacePlan(wanted: readonly OciNamespace[], newNetwork: boolean, slots: Slots): NamespacePlan {
  const joining = wanted.filter((namespace) => namespace.path !== undefined);
  const making = new Set(wanted.filter((namespace) => namespace.path === undefined).map(({ type }) => type));
  if (making.has('user')) throw new InvalidParameter('user namespaces are not supported');
  if (!making.has('mount')) throw new InvalidParameter('a container needs a mount namespace of its own');
  if (newNetwork && !joining.some(({ type }) => type === 'network')) making.add('network');

  const before: Operation[] = [];
  const after: Operation[] = [];
  for (const { type, path = '' } of joining) {
    const slot = slots.take();
    const join: Operation = { op: 'setns', owner: OWNER, slot, namespaces: CLONE[type] };
    before.push({ op: 'open', owner: OWNER, slot, path, openFlags: 0, flags: 0 });
    // setns(2) moves only the children of its caller into a pid namespace: the monitor has to do that.
    (type === 'pid' ? before : after).push(join);
  }
  const created = [...making].filter((type) => type !== 'cgroup').reduce((bits, type) => bits | CLONE[type], 0);
  const all = new Set([...making, ...joining.map(({ type }) => type)]);
  return { created, newCgroup: making.has('cgroup'), joined: { before, after }, has: (type) => all.has(type) };
}
