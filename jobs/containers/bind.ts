/** (pure) `[source:]destination[:mode]`, as `-v` has it (volume/mounts/linux_parser.go, `ParseMountRaw`). */
import { InvalidParameter } from '../../api/errors.ts';
import type { MountRequest } from './mount-request.ts';
import { cleanPath, mountTarget } from './mount-target.ts';

/** Each mode word has a kind, and a mode may have one of a kind. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['ro', 'access'],
  ['rw', 'access'],
  ['z', 'label'],
  ['Z', 'label'],
  ['nocopy', 'copy'],
  ['consistent', 'consistency'],
  ['cached', 'consistency'],
  ['delegated', 'consistency'],
  ...['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'].map((word) => [word, 'propagation'] as const),
]);

/** Fails with InvalidParameter in Docker's words. */
export function parseBind(text: string): MountRequest {
  const { source, target, mode } = split(text);
  const words = wordsOf(mode);
  if (words === null) throw new InvalidParameter(`invalid mode: ${mode}`);
  const isBind = source.startsWith('/');
  const type = isBind ? 'bind' : 'volume';
  const propagation = words.find((word) => KINDS.get(word) === 'propagation') ?? '';
  const invalid = (problem: string) =>
    new InvalidParameter(
      `invalid volume specification: '${text}': invalid mount config for type "${type}": ${problem}`,
    );
  if (!isBind && propagation !== '') throw invalid('field BindOptions must not be specified');
  if (isBind && words.includes('nocopy')) throw invalid('field VolumeOptions must not be specified');
  let Destination: string;
  try {
    Destination = mountTarget(target);
  } catch (error) {
    throw error instanceof InvalidParameter ? invalid(error.message) : error;
  }
  const common = { Destination, RW: !words.includes('ro') };
  if (isBind) {
    const Source = cleanPath(source);
    return { ...common, Type: type, Name: '', Source, Driver: '', Mode: mode, Propagation: propagation || 'rprivate' };
  }
  const Name = source === '' ? null : source;
  return { ...common, Type: type, Name, Source: '', Driver: 'local', Mode: mode || 'z', Propagation: '' };
}

function split(text: string): { source: string; target: string; mode: string } {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (first === '' || parts.length > 3 || text.includes('\0')) {
    throw new InvalidParameter(`invalid volume specification: '${text}'`);
  }
  if (parts.length === 1) return { source: '', target: first, mode: '' };
  if (parts.length === 2 && wordsOf(second) !== null) return { source: '', target: first, mode: second };
  return { source: first, target: second, mode: third };
}

/** Null where a word is unknown, or two say the same kind of thing. */
function wordsOf(mode: string): string[] | null {
  if (mode === '') return [];
  const words = mode.split(',');
  const kinds = words.map((word) => KINDS.get(word));
  return kinds.includes(undefined) || new Set(kinds).size < kinds.length ? null : words;
}
