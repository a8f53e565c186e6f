import * as zlib from 'node:zlib';

export type Compression = 'gzip' | 'bzip2' | 'xz' | 'zstd';

const MAGIC: readonly (readonly [name: Compression, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** Of so many bytes `compressionOf` makes up its mind. */
export const MAGIC_BYTES = 6;

/** What bytes that begin so are compressed with; null for none of those that Docker takes. */
export function compressionOf(head: Uint8Array): Compression | null {
  return MAGIC.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte))?.[0] ?? null;
}

/** Node has zstd from 22.15 on. */
export const isSupported = (compression: Compression): boolean =>
  compression === 'gzip' || compression === 'xz' || (compression === 'zstd' && 'createZstdDecompress' in zlib);

/** Why `what` is refused, a layer or an archive. */
export function refusalOf(what: string, compression: Compression): string {
  const names = MAGIC.map(([name]) => name).filter(isSupported);
  return `${what} is compressed with ${compression}: only ${names.join(', ')} and no compression are supported here`;
}
