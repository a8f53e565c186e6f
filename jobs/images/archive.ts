import { posix } from 'node:path';
import { InvalidParameter } from '../../api/errors.ts';
import type { FilePart } from '../../state/inflate.ts';
import { readTar, type TarEntry, TarError } from '../../std/tar-reader.ts';
import type { Spool } from './spool.ts';

const MAX_ENTRIES = 100_000;
const MAX_NAME_BYTES = 4096;
/**
 * Of all manifests, indexes and configs that are read, each as often as something names it: an index may name the same
 * index thousands of times, and that one another.
 */
const MAX_DOCUMENT_BYTES = 64 * 1024 ** 2;
/** What one document counts for at least. */
const LEAST_DOCUMENT_BYTES = 4096;
/** Links of an archive that lead to one another; `docker save` up to 24 links layers it has already written. */
const MAX_HOPS = 8;

type Found = { readonly kind: 'file'; readonly part: FilePart } | { readonly kind: 'link'; readonly target: string };

/** An image archive, spooled: its files by name. Names are keys of a map here and nothing else. */
export class Archive {
  readonly #spool: Spool;
  readonly #entries = new Map<string, Found>();
  #documentBytes = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  /** Spools every file of a tar. Fails with InvalidParameter: `archive/tar: invalid tar header`, `unexpected EOF`, bounds. */
  async take(tar: AsyncGenerator<Buffer, void, undefined>): Promise<void> {
    try {
      for await (const entry of readTar(tar)) await this.#takeEntry(entry);
      // What stands behind the end belongs to the upload still: a client may wait until it is taken.
      while ((await tar.next()).done !== true);
    } catch (error) {
      if (error instanceof TarError) throw new InvalidParameter(error.message, { cause: error });
      throw error;
    } finally {
      await tar.return();
    }
  }

  has(name: string): boolean {
    return this.#find(name) !== null;
  }

  /** Fails with InvalidParameter in Docker's words when it is not there. */
  part(name: string): FilePart {
    const part = this.#find(name);
    if (part === null) throw new InvalidParameter(`invalid archive: open ${shown(name)}: no such file or directory`);
    return part;
  }

  /** A small file, whole. Fails with InvalidParameter when it is over `max` bytes, or all that was read over 64 MiB. */
  async read(name: string, max: number): Promise<Buffer> {
    const part = this.part(name);
    this.#documentBytes += Math.max(part.size, LEAST_DOCUMENT_BYTES);
    if (this.#documentBytes > MAX_DOCUMENT_BYTES) {
      throw new InvalidParameter(
        `invalid archive: its manifests and configs are over ${MAX_DOCUMENT_BYTES} bytes together`,
      );
    }
    return this.#spool.read(part, max, shown(name));
  }

  async #takeEntry({ name, type, linkname, body }: TarEntry): Promise<void> {
    if (this.#entries.size >= MAX_ENTRIES) throw new InvalidParameter(`archive has over ${MAX_ENTRIES} files`);
    const key = within(name);
    if (type === 'file') this.#entries.set(key, { kind: 'file', part: await this.#spool.append(body) });
    if (type === 'link') this.#entries.set(key, { kind: 'link', target: within(linkname) });
    if (type === 'symlink') {
      const base = linkname.startsWith('/') ? '' : posix.dirname(key);
      this.#entries.set(key, { kind: 'link', target: within(posix.join('/', base, linkname)) });
    }
  }

  #find(name: string): FilePart | null {
    let key = posix.join('/', name);
    for (let hops = 0; hops <= MAX_HOPS; hops++) {
      const found = this.#entries.get(key);
      if (found === undefined) return null;
      if (found.kind === 'file') return found.part;
      key = found.target;
    }
    return null;
  }
}

/** A name as seen from the archive's root. Fails with InvalidParameter when it leads out of it. */
function within(name: string): string {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new InvalidParameter(`archive has a name of over ${MAX_NAME_BYTES} bytes: ${shown(name)}`);
  }
  const relative = posix.normalize(name.replace(/^\/+/, ''));
  if (relative === '..' || relative.startsWith('../')) {
    throw new InvalidParameter(`invalid archive: entry ${JSON.stringify(shown(name))} is outside of it`);
  }
  return posix.join('/', relative);
}

const shown = (name: string): string => (name.length > 256 ? `${name.slice(0, 256)}…` : name);
