/**
 * Reads a tar as it comes (POSIX pax, ustar, GNU; pax(1), tar(5)): one entry at a time, its body as chunks, and nothing
 * of it in memory but one header. Says what is in the archive and puts nothing anywhere.
 *
 *   for await (const entry of readTar(stream)) …      a body that is not read is passed over
 */
export interface TarEntry {
  /** As written. */
  readonly name: string;
  readonly type: 'file' | 'link' | 'symlink' | 'directory' | 'other';
  readonly linkname: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly body: AsyncIterable<Buffer>;
}

/** The archive is not one. The words are Go's, which Docker's users see. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

const BLOCK = 512;
/** Of one pax header or GNU long name, in bytes (Go's `maxSpecialFileSize`). */
const MAX_EXTENDED_BYTES = 1024 ** 2;
/** Headers in a row that only describe the next one. */
const MAX_EXTENDED_HEADERS = 16;

interface Described {
  path?: string;
  linkpath?: string;
  size?: string;
}

export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry, void, undefined> {
  const bytes = new ByteReader(source);
  for (;;) {
    const described: Described = {};
    const header = await nextHeader(bytes, described);
    if (header === null) return;
    const entry = entryOf(header, described);
    const body = new Body(bytes, entry.size);
    yield { ...entry, body };
    await body.skip();
    await bytes.skip(padding(entry.size));
  }
}

/** The header of the next entry that is one, with what pax and GNU headers before it say; null at the end. */
async function nextHeader(bytes: ByteReader, described: Described): Promise<Buffer | null> {
  for (let extended = 0; extended <= MAX_EXTENDED_HEADERS; extended++) {
    const header = await bytes.block();
    if (header === null || isZero(header)) return null;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    if (!'xgLK'.includes(type)) return header;
    const size = sizeIn(header);
    if (size > MAX_EXTENDED_BYTES) throw new TarError('archive/tar: header field too long');
    const content = await bytes.exactly(size);
    await bytes.skip(padding(size));
    if (type === 'x') Object.assign(described, paxRecords(content));
    if (type === 'L') described.path = zeroEnded(content);
    if (type === 'K') described.linkpath = zeroEnded(content);
  }
  throw new TarError('archive/tar: invalid tar header');
}

function entryOf(header: Buffer, described: Described): Omit<TarEntry, 'body'> {
  const isUstar = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? zeroEnded(header.subarray(345, 500)) : '';
  const short = zeroEnded(header.subarray(0, 100));
  const name = described.path ?? (prefix === '' ? short : `${prefix}/${short}`);
  const type = typeOf(String.fromCharCode(header[156] ?? 0), name);
  const size = described.size === undefined ? sizeIn(header) : paxSize(described.size);
  const hasBody = type === 'file' || type === 'other';
  const linkname = described.linkpath ?? zeroEnded(header.subarray(157, 257));
  return { name, type, linkname, size: hasBody ? size : 0 };
}

function typeOf(flag: string, name: string): TarEntry['type'] {
  switch (flag) {
    case '0':
    case '\0':
    case '7':
      return name.endsWith('/') ? 'directory' : 'file';
    case '1':
      return 'link';
    case '2':
      return 'symlink';
    case '5':
      return 'directory';
    default:
      return 'other';
  }
}

/** The sum of all bytes, its own field taken as spaces; some old writers added signed bytes. */
function checkSum(header: Buffer): void {
  let unsigned = 0;
  let signed = 0;
  for (const [index, byte] of header.entries()) {
    const value = index >= 148 && index < 156 ? 0x20 : byte;
    unsigned += value;
    signed += value > 127 ? value - 256 : value;
  }
  const written = octal(header.subarray(148, 156));
  if (written !== unsigned && written !== signed) throw new TarError('archive/tar: invalid tar header');
}

/** Octal digits, or a big-endian number behind a first byte of 0x80 (GNU). */
function sizeIn(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) === 0) return octal(field);
  const value = field.reduce((sum, byte, index) => sum * 256n + BigInt(index === 0 ? byte & 0x7f : byte), 0n);
  return checkedSize(value);
}

function octal(field: Buffer): number {
  const digits = zeroEnded(field).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TarError('archive/tar: invalid tar header');
  return checkedSize(BigInt(`0o${digits}`));
}

function paxSize(digits: string): number {
  if (!/^[0-9]{1,20}$/.test(digits)) throw new TarError('archive/tar: invalid tar header');
  return checkedSize(BigInt(digits));
}

function checkedSize(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new TarError('archive/tar: invalid tar header');
  return Number(value);
}

/** `LENGTH KEY=VALUE\n`, one after another; only the keys that matter here are kept. */
function paxRecords(content: Buffer): Described {
  const found: Described = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const digits = space === -1 ? '' : content.toString('latin1', at, Math.min(space, at + 20));
    const length = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length < digits.length + 3 || end > content.length || content[end - 1] !== 0x0a) {
      throw new TarError('archive/tar: invalid tar header');
    }
    const text = content.toString('utf8', space + 1, end - 1);
    const equals = text.indexOf('=');
    const key = text.slice(0, equals);
    if (key === 'path' || key === 'linkpath' || key === 'size') found[key] = text.slice(equals + 1);
    at = end;
  }
  return found;
}

function zeroEnded(field: Buffer): string {
  const zero = field.indexOf(0);
  return field.toString('utf8', 0, zero === -1 ? field.length : zero);
}

const isZero = (block: Buffer): boolean => block.every((byte) => byte === 0);
const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/** Up to `left` bytes of the archive, taken in order; what nobody takes is passed over before the next header. */
class Body implements AsyncIterable<Buffer> {
  readonly #bytes: ByteReader;
  #left: number;

  constructor(bytes: ByteReader, size: number) {
    this.#bytes = bytes;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    while (this.#left > 0) {
      const chunk = await this.#bytes.some(this.#left);
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  async skip(): Promise<void> {
    await this.#bytes.skip(this.#left);
    this.#left = 0;
  }
}

class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** A header's block; null where the archive ends without one, as it may. */
  async block(): Promise<Buffer | null> {
    if (this.#rest.length === 0 && !(await this.#fill())) return null;
    return this.exactly(BLOCK);
  }

  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0; ) {
      const part = await this.some(left);
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, count);
  }

  /** At least one byte, at most `max`. Fails where there is none. */
  async some(max: number): Promise<Buffer> {
    if (this.#rest.length === 0 && !(await this.#fill())) throw new TarError('unexpected EOF');
    const taken = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) left -= (await this.some(left)).length;
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      this.#rest = next.value;
      return true;
    }
  }
}
