/** Writes tar archives byte by byte: good ones, and those that no tar program would write. */
export interface ForgedEntry {
  readonly name: string | Buffer;
  /** One letter; '0' a file, '5' a folder, … */
  readonly type?: string;
  readonly link?: string;
  readonly data?: string | Buffer;
  /** What the header says, where that is not the length of `data`. A Buffer is put there as it is. */
  readonly size?: number | Buffer;
  readonly mode?: number;
  readonly uid?: number | Buffer;
  readonly gid?: number | Buffer;
  readonly mtime?: number | Buffer;
  readonly device?: readonly [major: number, minor: number];
  readonly prefix?: string;
  readonly magic?: string;
  /** PAX records in front. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** Instead of the right one. */
  readonly checksum?: number;
}

const BLOCK = 512;

/** Two blocks of zeros: the end of an archive. */
export const END = Buffer.alloc(2 * BLOCK);

export function archive(...entries: readonly ForgedEntry[]): Buffer {
  return Buffer.concat([...entries.map(entry), END]);
}

/** Short for the commonest. */
export const file = (name: string, data = '', more: Partial<ForgedEntry> = {}): ForgedEntry => ({
  name,
  data,
  ...more,
});
export const folder = (name: string, more: Partial<ForgedEntry> = {}): ForgedEntry => ({
  name,
  type: '5',
  mode: 0o755,
  ...more,
});
export const symlink = (name: string, link: string, more: Partial<ForgedEntry> = {}): ForgedEntry => ({
  name,
  type: '2',
  link,
  ...more,
});
export const hardLink = (name: string, link: string): ForgedEntry => ({ name, type: '1', link });

/** GNU's way with a long name ('L') or link ('K'). */
export function longName(type: 'L' | 'K', name: string): ForgedEntry {
  return { name: '././@LongLink', type, data: `${name}\0`, magic: 'ustar  \0' };
}

/** The header or headers of one entry, its data and its padding. */
export function entry(forged: ForgedEntry): Buffer {
  const data = Buffer.from(forged.data ?? '');
  const padding = Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK);
  const own = Buffer.concat([header(forged, data.length), data, padding]);
  return forged.pax === undefined ? own : Buffer.concat([paxHeader(forged.pax), own]);
}

export function paxHeader(records: Readonly<Record<string, string | Buffer>>, type = 'x'): Buffer {
  const data = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return entry({ name: 'PaxHeaders.0/x', type, data });
}

export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** GNU's base-256: any number into a field of that many bytes. */
export function base256(value: bigint, width: number): Buffer {
  const field = Buffer.alloc(width);
  let rest = BigInt.asUintN(8 * width - 1, value);
  for (let at = width - 1; at >= 0; at--) {
    field[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field.writeUInt8(field.readUInt8(0) | 0x80, 0);
  return field;
}

function header(forged: ForgedEntry, length: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string | Buffer, at: number, width: number) =>
    Buffer.from(value).copy(block, at, 0, Math.min(width, Buffer.byteLength(value)));
  const number = (value: number | Buffer, at: number, width: number) =>
    text(typeof value === 'number' ? `${value.toString(8).padStart(width - 1, '0')}\0` : value, at, width);
  const [major, minor] = forged.device ?? [0, 0];
  text(forged.name, 0, 100);
  number(forged.mode ?? 0o644, 100, 8);
  number(forged.uid ?? 0, 108, 8);
  number(forged.gid ?? 0, 116, 8);
  number(forged.size ?? length, 124, 12);
  number(forged.mtime ?? 0, 136, 12);
  text('        ', 148, 8);
  text(forged.type ?? '0', 156, 1);
  text(forged.link ?? '', 157, 100);
  text(forged.magic ?? 'ustar\x0000', 257, 8);
  number(major, 329, 8);
  number(minor, 337, 8);
  text(forged.prefix ?? '', 345, 155);
  const sum = forged.checksum ?? block.reduce((total, byte) => total + byte, 0);
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}
