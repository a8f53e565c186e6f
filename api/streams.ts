/**
 * The frame that carries several streams on one connection (Docker Engine API, ContainerAttach, "Stream format"):
 *
 *   1 byte  type: 0 stdin, 1 stdout, 2 stderr, 3 system error; our monitor protocol has more, see ARCHITECTURE.md
 *   3 bytes 0
 *   4 bytes length of the payload, big-endian
 *   …       payload
 */
const FRAME_HEADER_BYTES = 8;
export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
export const SYSTEM_ERROR = 3;
/** The last frame of POST /jobs/{name}: how the job ended, in JSON (api/job-end.ts). */
export const JOB_END = 4;

/** Media types of an answer that is a stream: as it comes from a terminal, and in frames. */
export const RAW_STREAM = 'application/vnd.docker.raw-stream';
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

export function frameHeader(type: number, length: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header[0] = type;
  header.writeUInt32BE(length, 4);
  return header;
}

export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Bytes in as they come, whole frames out. A frame longer than `maxBytes` throws: the peer is not speaking our words. */
export class FrameReader {
  #pending: Buffer[] = [];
  #size = 0;
  readonly #maxBytes: number;

  constructor(maxBytes = 16 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /** Takes a chunk and gives the frames that it completes. */
  push(chunk: Buffer): Frame[] {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    if (this.#size < FRAME_HEADER_BYTES) return [];
    let rest = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending, this.#size);
    const frames: Frame[] = [];
    while (rest.length >= FRAME_HEADER_BYTES) {
      const length = rest.readUInt32BE(4);
      if (length > this.#maxBytes) throw new RangeError(`frame of ${length} bytes is over ${this.#maxBytes}`);
      const end = FRAME_HEADER_BYTES + length;
      if (rest.length < end) break;
      frames.push({ type: rest[0] ?? 0, payload: rest.subarray(FRAME_HEADER_BYTES, end) });
      rest = rest.subarray(end);
    }
    this.#pending = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return frames;
  }
}
