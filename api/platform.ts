/** `os/architecture/variant` in Docker's words (containerd/platforms): what an image is for, and what a user asks for. */
import { InvalidParameter } from './errors.ts';

/** '' where an image does not say. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

const ARCHITECTURES = ['amd64', 'arm64', 'arm', '386', 'riscv64', 'ppc64le', 's390x', 'mips64le', 'loong64'];
/** Other words for them: those of uname(2), of Node, of users. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
  ['i386', '386'],
  ['ia32', '386'],
]);

/** Docker's word for an architecture that goes by another. */
export const architectureOf = (word: string): string => ALIASES.get(word.toLowerCase()) ?? word.toLowerCase();

/** `linux/arm64/v8`, `linux` or `arm64`; what is not said is as on `machine`. Fails with InvalidParameter. */
export function parsePlatform(text: string, machine: string): Platform {
  const parts = text.toLowerCase().split('/');
  const unknown = new InvalidParameter(`"${text}": unknown operating system or architecture: invalid argument`);
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_-]+$/.test(part))) throw unknown;
  const [first = '', architecture = architectureOf(machine), variant = ''] = parts;
  if (parts.length > 1 || first === 'linux' || first === 'windows') {
    return { os: first, architecture: architectureOf(architecture), variant };
  }
  if (!ARCHITECTURES.includes(architectureOf(first))) throw unknown;
  return { os: 'linux', architecture: architectureOf(first), variant: '' };
}

export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== '').join('/');
}

/** May an image that is for `has` stand where `wanted` is asked for? What either does not say decides nothing. */
export function isPlatform(has: Platform, wanted: Platform): boolean {
  const agrees = (a: string, b: string) => a === '' || b === '' || a === b;
  return (
    agrees(has.os, wanted.os) &&
    agrees(architectureOf(has.architecture), wanted.architecture) &&
    agrees(variantOf(has), variantOf(wanted))
  );
}

/** The only one there is of its architecture is that of who names none. */
function variantOf({ architecture, variant }: Platform): string {
  return (architecture === 'arm64' && (variant === 'v8' || variant === '8')) || variant === 'v1' ? '' : variant;
}
