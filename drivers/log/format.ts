import type { BatchBuilder } from './batch.ts';

/** How entries lie in a file: all that json-file and local do not share. Nothing here throws for what a file contains. */
export interface LogFormat {
  /** The least an entry takes, in bytes. */
  readonly minEntry: number;
  /**
   * Decodes the whole entries at the beginning of `block`; what is damaged is skipped. Returns how many bytes are done
   * with: the rest is an entry of which more is to come. `isEnd`: nothing more comes.
   */
  decode(block: Buffer, batch: BatchBuilder, isEnd: boolean): number;
  /** Where the last entry begins that ends at or before `end`; -1 when it is not wholly in the block. */
  previous(block: Buffer, end: number, isFileStart: boolean): number;
  /** Where the first entry begins that is sure to begin in this block, cut anywhere; -1 for none. */
  align(block: Buffer): number;
}
