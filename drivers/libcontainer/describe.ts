/** Operations in words, for `explain`, for traces and for errors. */
import { CAPABILITIES } from '../../api/capabilities.ts';
import { errnoSymbol } from './errno.ts';
import { MOUNT_ATTR, MS } from './mount-options.ts';
import { CLONE } from './namespaces.ts';
import { FLAG, type Operation, type OperationName, SLOT } from './program.ts';

type Describer = { readonly [Name in OperationName]: (operation: Extract<Operation, { op: Name }>) => string };

const DESCRIBE: Describer = {
  mkdir: ({ path, mode }) => `mkdir ${path} mode ${octal(mode)}`,
  unlink: ({ path }) => `unlink ${path}`,
  rmdir: ({ path }) => `rmdir ${path}`,
  write: ({ path, data }) => `write ${quoted(data)} to ${path}`,
  open: ({ slot, path }) => `open ${path} as ${slotName(slot)}`,
  device_filter: ({ slot, program }) => `filter devices by ${program.length / 8} instructions on ${slotName(slot)}`,
  enable_controllers: ({ path, controllers }) => `enable ${controllers.join(' ')} below ${path}`,
  clone: ({ namespaces, cgroupSlot }) =>
    `clone with new namespaces ${namespaceNames(namespaces)}${cgroupSlot === SLOT.none ? '' : ` into cgroup ${slotName(cgroupSlot)}`}`,
  unshare: ({ namespaces }) => `unshare ${namespaceNames(namespaces)}`,
  setns: ({ slot, namespaces }) => `join namespaces ${namespaceNames(namespaces)} of ${slotName(slot)}`,
  sethostname: ({ name }) => `sethostname ${name}`,
  setdomainname: ({ name }) => `setdomainname ${name}`,
  netlink: ({ protocol, messages }) => `send ${messages.length} bytes to netlink ${protocol}`,
  propagation: ({ path, mountFlags }) => `make ${path} ${propagationName(mountFlags)}`,
  overlay: ({ target, lowers, upper, options }) =>
    `mount overlay on ${target}${list([`${lowers.length} lower`, ...(upper === '' ? ['read-only'] : [`upper ${upper}`]), ...options])}`,
  clone_tree: ({ slot, path, flags }) => `clone ${recursively(flags)}the mount ${path} as ${slotName(slot)}`,
  mount_setattr: ({ slot, set, clear, propagation, flags }) =>
    `set ${recursively(flags)}${words([attributeNames(set), attributeNames(clear, 'no '), propagationName(propagation)])} on ${slotName(slot)}`,
  attach: ({ slot, target }) => `mount ${slotName(slot)} on ${target}`,
  attach_beneath: ({ slot, target }) => `mount ${slotName(slot)} on ${target}`,
  mount_beneath: ({ fstype, target, attributes, options, propagation }) =>
    `mount ${fstype} on ${target}${list([attributeNames(attributes), ...options, propagationName(propagation)])}`,
  bind_beneath: ({ source, target, flags }) =>
    `bind ${source === target ? '' : `${source} on `}${target}${flags & FLAG.readonly ? ' read-only' : ''}`,
  mask_beneath: ({ path }) => `mask ${path}`,
  open_beneath: ({ slot, path }) => `open ${path} in the rootfs as ${slotName(slot)}`,
  mknod_beneath: ({ path, mode, major, minor }) => `mknod ${path} ${major}:${minor} mode ${octal(mode)}`,
  symlink_beneath: ({ path, target }) => `symlink ${path} to ${target}`,
  write_beneath: ({ root, path, data }) => `write ${quoted(data)} to ${root === SLOT.proc ? '/proc/' : ''}${path}`,
  copy_up: ({ path, slot }) => `copy what the image has in ${path} to ${slotName(slot)}`,
  pivot_root: ({ slot }) => `pivot_root to ${slotName(slot)}`,
  remount_root: ({ attributes, propagation }) =>
    `make / ${words([attributeNames(attributes), propagationName(propagation)])}`,
  setsid: () => 'setsid',
  console: ({ height, width }) => `open a terminal of ${height} by ${width} as console`,
  rlimit: ({ resource, soft, hard }) => `setrlimit ${resource} ${limit(soft)}:${limit(hard)}`,
  oom_score_adj: ({ value }) => `set oom_score_adj ${value}`,
  keyring: ({ name }) => `join session keyring ${name}`,
  umask: ({ mask }) => `umask ${octal(mask)}`,
  lookup_user: ({ user, groups, gids }) => `look up user ${quoted(user)}${list([...groups, ...gids])}`,
  credentials: ({ bounding, permitted, ambient }) =>
    `become that user with capabilities ${capabilityNames(permitted)}, bounded by ${capabilityNames(bounding)}${ambient === 0n ? '' : `, ambient ${capabilityNames(ambient)}`}`,
  no_new_privs: () => 'set no_new_privs',
  seccomp: ({ filter }) => `load a seccomp filter of ${filter.length / 8} instructions`,
  chdir: ({ path }) => `chdir ${path}`,
  init: () => 'stand as init before the program',
  execve: ({ argv }) => `execve ${argv.map(quoted).join(' ')}`,
};

/** One line. */
export function describe(operation: Operation): string {
  const describer: (operation: never) => string = DESCRIBE[operation.op];
  return Reflect.apply(describer, null, [operation]);
}

/** `mount overlay on /x failed: EINVAL (operation 12 of 61, asked for by graph/overlay2)`; `index` counts from 0. */
export function describeFailure(program: readonly Operation[], index: number, errno: number): string {
  const operation = program[index];
  if (operation === undefined) return `operation ${index + 1} failed: ${errnoSymbol(errno)}`;
  const place = `operation ${index + 1} of ${program.length}, asked for by ${operation.owner}`;
  return `${describe(operation)} failed: ${errnoSymbol(errno)} (${place})`;
}

/** A whole program, a line an operation, with its number and who asked for it. */
export function describeProgram(program: readonly Operation[]): string {
  const width = String(program.length).length;
  const owners = Math.max(0, ...program.map((operation) => operation.owner.length));
  return program
    .map((operation, index) => {
      const number = String(index + 1).padStart(width);
      return `${number}  ${operation.owner.padEnd(owners)}  ${describe(operation)}\n`;
    })
    .join('');
}

const octal = (mode: number): string => `0${mode.toString(8)}`;
const quoted = (text: string): string => JSON.stringify(text);
const words = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');
const recursively = (flags: number): string => (flags & FLAG.recursive ? 'recursively ' : '');
const limit = (value: bigint): string => (value === 0xffff_ffff_ffff_ffffn ? 'unlimited' : String(value));

function list(parts: readonly string[]): string {
  const text = words(parts);
  return text === '' ? '' : ` (${text})`;
}

function slotName(slot: number): string {
  if (slot === SLOT.rootfs) return 'the rootfs';
  if (slot === SLOT.proc) return "the container's /proc";
  if (slot === SLOT.pidfd) return "the container's init";
  return `slot ${slot}`;
}

function namespaceNames(bits: number): string {
  const names = Object.entries(CLONE).flatMap(([name, bit]) => ((bits & bit) !== 0 ? [name] : []));
  return names.length === 0 ? 'none' : names.join(' ');
}

const ATTRIBUTES: readonly (readonly [bit: bigint, name: string])[] = [
  [MOUNT_ATTR.readonly, 'ro'],
  [MOUNT_ATTR.nosuid, 'nosuid'],
  [MOUNT_ATTR.nodev, 'nodev'],
  [MOUNT_ATTR.noexec, 'noexec'],
  [MOUNT_ATTR.noatime, 'noatime'],
  [MOUNT_ATTR.strictatime, 'strictatime'],
  [MOUNT_ATTR.nodiratime, 'nodiratime'],
  [MOUNT_ATTR.nosymfollow, 'nosymfollow'],
];

function attributeNames(bits: bigint, prefix = ''): string {
  const names = ATTRIBUTES.filter(([bit]) => (bits & bit) !== 0n).map(([, name]) => prefix + name);
  return words(names);
}

function propagationName(flags: bigint): string {
  const name = (['unbindable', 'private', 'slave', 'shared'] as const).find((kind) => (flags & MS[kind]) !== 0n) ?? '';
  return flags & MS.recursive ? `r${name}` : name;
}

function capabilityNames(mask: bigint): string {
  const names = CAPABILITIES.filter((_, bit) => (mask & (1n << BigInt(bit))) !== 0n);
  if (names.length === 0) return 'none';
  return names.length === CAPABILITIES.length ? 'all' : names.map((name) => name.slice('CAP_'.length)).join(' ');
}
