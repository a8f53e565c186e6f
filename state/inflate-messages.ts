/** What `inflate.ts` and its worker say to each other. */

/** Of the file at a time, and handed over at a time. */
export const CHUNK_BYTES = 1024 ** 2;
/** Chunks handed over and not yet taken. */
export const WINDOW = 4;

export interface InflateRequest {
  readonly kind: 'inflate';
  /** Shared with the worker: it must stay open until the end. */
  readonly fd: number;
  readonly offset: number;
  /** Bytes, as they are in the file. */
  readonly size: number;
  /** What the user calls it: a layer, an archive. */
  readonly what: string;
  /** It may unpack to so many bytes whatever its size, */
  readonly freeBytes: number;
  /** and to more only up to so many times its size. */
  readonly maxRatio: number;
}

export type ToWorker = InflateRequest | { readonly kind: 'taken' };

export type FromWorker =
  /** `read`: bytes of the file read so far. */
  | { readonly kind: 'chunk'; readonly bytes: Uint8Array; readonly read: number }
  /** `digest` is of the bytes in the file, `diffID` of what came out of them. */
  | { readonly kind: 'end'; readonly diffID: string; readonly digest: string }
  | { readonly kind: 'error'; readonly code: string; readonly message: string };
