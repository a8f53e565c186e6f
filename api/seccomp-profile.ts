/**
 * A seccomp profile as Docker's `--security-opt seccomp=FILE` has it: the OCI form with conditions on architecture,
 * capabilities and kernel, which are settled here (docs.docker.com, "Seccomp security profiles for Docker").
 */
import { type Decoded, integer, list, nullable, number, object, optional, text } from '../std/decode.ts';
import { parseJSON } from '../std/parse-json.ts';
import { messageOf } from '../std/thrown.ts';
import { InvalidParameter } from './errors.ts';
import type { OciSeccomp } from './oci.ts';

const condition = object({
  /** Docker's words for architectures: `amd64`, `arm64`, … */
  arches: optional(list(text), []),
  caps: optional(list(text), []),
  /** `4.8`: this kernel or a later one. */
  minKernel: optional(text, ''),
});

const syscallRule = object({
  names: optional(list(text), []),
  /** The form that profiles had before `names`. */
  name: optional(text, ''),
  action: text,
  errnoRet: nullable(integer),
  args: optional(list(object({ index: integer, value: number, valueTwo: optional(number, 0), op: text })), []),
  includes: optional(condition, { arches: [], caps: [], minKernel: '' }),
  excludes: optional(condition, { arches: [], caps: [], minKernel: '' }),
});

const seccompProfile = object({
  defaultAction: text,
  defaultErrnoRet: nullable(integer),
  architectures: optional(list(text), []),
  archMap: optional(list(object({ architecture: text, subArchitectures: optional(list(text), []) })), []),
  syscalls: optional(list(syscallRule), []),
});
export type SeccompProfile = Decoded<typeof seccompProfile>;
type Condition = Decoded<typeof condition>;

/** What the conditions of a profile ask about. */
export interface SeccompFacts {
  /** As Node's `process.arch` has it: `x64`, `arm64`. */
  readonly arch: string;
  /** Of the container, as `CAP_CHOWN`. */
  readonly capabilities: readonly string[];
  /** `uname -r`. */
  readonly kernel: string;
}

const ARCHITECTURES: Readonly<Record<string, { readonly docker: string; readonly oci: string }>> = {
  x64: { docker: 'amd64', oci: 'SCMP_ARCH_X86_64' },
  arm64: { docker: 'arm64', oci: 'SCMP_ARCH_AARCH64' },
};

/** Reads what a client sent as a profile. Fails with InvalidParameter. */
export function parseSeccompProfile(json: string): SeccompProfile {
  try {
    return seccompProfile(parseJSON(json), 'profile');
  } catch (error) {
    throw new InvalidParameter(`Decoding seccomp profile failed: ${messageOf(error)}`);
  }
}

/** The part of a profile that holds for one container on one machine. Fails with InvalidParameter. */
export function resolveSeccompProfile(profile: SeccompProfile, facts: SeccompFacts): OciSeccomp {
  const arch = ARCHITECTURES[facts.arch];
  if (arch === undefined) throw new InvalidParameter(`seccomp profiles are not supported on ${facts.arch}`);
  const holds = (rule: Condition): boolean[] => [
    ...(rule.arches.length > 0 ? [rule.arches.some((name) => name === arch.docker)] : []),
    ...rule.caps.map((name) => facts.capabilities.includes(name)),
    ...(rule.minKernel === '' ? [] : [isAtLeast(facts.kernel, rule.minKernel)]),
  ];
  const mapped = profile.archMap.find((entry) => entry.architecture === arch.oci);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === null ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures: mapped === undefined ? profile.architectures : [mapped.architecture, ...mapped.subArchitectures],
    syscalls: profile.syscalls
      .filter((rule) => holds(rule.includes).every(Boolean) && !holds(rule.excludes).some(Boolean))
      .map((rule) => ({
        names: rule.name === '' ? rule.names : [rule.name],
        action: rule.action,
        ...(rule.errnoRet === null ? {} : { errnoRet: rule.errnoRet }),
        ...(rule.args.length === 0 ? {} : { args: rule.args }),
      })),
  };
}

/** `4.8` against `6.1.0-13-amd64`, by major and minor. */
function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
