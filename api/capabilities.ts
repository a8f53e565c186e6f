import { InvalidParameter } from './errors.ts';

/** Every capability that Linux has, in the order of its bits (capabilities(7), linux/capability.h). */
const NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** As the OCI spec writes them: `CAP_CHOWN`. The index is the bit. */
export const CAPABILITIES: readonly string[] = NAMES.map((name) => `CAP_${name}`);

/** What a container has when nothing is asked for (docs.docker.com, "Linux kernel capabilities"). */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

const ALL = 'ALL';

/**
 * What `--cap-add`, `--cap-drop` and `--privileged` make of the default set, in `CAP_CHOWN` form. Names count without
 * regard to case, with or without `CAP_`; `ALL` stands for every one. An added capability wins over a dropped `ALL`, a
 * dropped one over an added `ALL`, and over being added by name too. Fails with InvalidParameter for an unknown name.
 */
export function capabilitiesFor(add: readonly string[], drop: readonly string[], privileged: boolean): string[] {
  const added = new Set(add.map(canonical));
  const dropped = new Set(drop.map(canonical));
  if (privileged) return [...CAPABILITIES];
  if (added.has(ALL)) return CAPABILITIES.filter((name) => !dropped.has(name));
  const base = dropped.has(ALL) ? [] : DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name) && !added.has(name));
  const more = [...added].filter((name) => dropped.has(ALL) || !dropped.has(name));
  return [...base, ...more];
}

function canonical(word: string): string {
  const { whole, isKnown } = capabilityNamed(word);
  if (!isKnown) throw new InvalidParameter(`invalid capability: "${word}"`);
  return whole;
}

/** A user's word for a capability, or for every one, written out: `CAP_CHOWN`, `ALL`. Is it one that Linux has? */
export function capabilityNamed(word: string): { readonly whole: string; readonly isKnown: boolean } {
  const upper = word.toUpperCase();
  if (upper === ALL) return { whole: ALL, isKnown: true };
  const whole = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  return { whole, isKnown: CAPABILITIES.includes(whole) };
}
