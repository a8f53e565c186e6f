import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidParameter, SystemFailure } from '../../api/errors.ts';
import type { FilePart } from '../../state/inflate.ts';
import { hasErrno } from '../../std/errno.ts';

/** Of one upload, out of its outer compression. */
const MAX_BYTES = 256 * 1024 ** 3;

/**
 * Where an upload waits until it is looked at: one file without a name, so that nothing is left of it whatever happens,
 * and no name out of an archive is ever a name on disk.
 */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle;
  #length = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** In `folder`, which is made. */
  static async open(folder: string): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, randomBytes(8).toString('hex'));
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new Spool(file);
  }

  /** Adds all that comes. Fails with InvalidParameter over 256 GiB, with SystemFailure when the disk is full. */
  async append(source: AsyncIterable<Buffer>): Promise<FilePart> {
    const offset = this.#length;
    for await (const chunk of source) {
      if (this.#length + chunk.length > MAX_BYTES) throw new InvalidParameter(`archive is over ${MAX_BYTES} bytes`);
      await this.#write(chunk);
    }
    return { fd: this.#file.fd, offset, size: this.#length - offset };
  }

  /** A whole part, in memory. Fails with InvalidParameter when it is over `max` bytes; `name` is what the user calls it. */
  async read(part: FilePart, max: number, name: string): Promise<Buffer> {
    if (part.size > max) throw new InvalidParameter(`${name} has ${part.size} bytes, at most ${max} are read`);
    const bytes = Buffer.alloc(part.size);
    const { bytesRead } = await this.#file.read(bytes, 0, part.size, part.offset);
    if (bytesRead !== part.size) throw new SystemFailure(`${name}: unexpected EOF`);
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(chunk: Buffer): Promise<void> {
    try {
      for (let at = 0; at < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, at, chunk.length - at, this.#length);
        at += bytesWritten;
        this.#length += bytesWritten;
      }
    } catch (error) {
      if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
      throw new SystemFailure('write to the data root: no space left on device', { cause: error });
    }
  }
}
