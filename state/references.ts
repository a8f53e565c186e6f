import { readFile, rename } from 'node:fs/promises';
import createDebug from 'debug';
import { InvalidParameter } from '../api/errors.ts';
import { type ImageID, imageID } from '../api/ids.ts';
import { canonical, familiarName, parseReference, type Reference, withDefaultTag } from '../api/reference.ts';
import { CoalescedFile } from '../std/coalesced-file.ts';
import { anything, record, text } from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';

const warn = createDebug('gantry:warn:references');

interface Entry {
  readonly reference: Reference;
  readonly image: ImageID;
}

/** Names of images: `<data-root>/image/repositories.json`, on disk before a change returns. */
export class References {
  readonly #entries = new Map<string, Entry>();
  readonly #byImage = new Map<ImageID, Set<string>>();
  readonly #file: CoalescedFile;

  private constructor(file: string) {
    this.#file = new CoalescedFile(file, () => this.#json());
  }

  /** A file that cannot be read is put aside as `<file>.damaged`, with a warning; so is nothing lost and nothing stopped. */
  static async open(file: string): Promise<References> {
    const references = new References(file);
    for (const [key, value] of Object.entries(await readEntries(file))) {
      try {
        references.#put(parseReference(key), imageID(text(value, key)));
      } catch (error) {
        warn('%s: reference %s is left out: %s', file, key, error);
      }
    }
    return references;
  }

  resolve(reference: Reference): ImageID | null {
    return this.#entries.get(keyOf(reference))?.image ?? null;
  }

  /** Gives an image a name, which another image loses then. Fails with InvalidParameter. */
  async set(reference: Reference, image: ImageID): Promise<void> {
    if (familiarName(reference) === 'sha256') {
      throw new InvalidParameter('refusing to create an ambiguous tag using digest algorithm as name');
    }
    const before = this.#entries.get(keyOf(reference))?.image ?? null;
    if (before === image) return this.#file.save();
    this.#put(reference, image);
    await this.#saved(reference, image, before);
  }

  async remove(reference: Reference): Promise<void> {
    const before = this.#entries.get(keyOf(reference))?.image ?? null;
    if (before === null) return;
    this.#drop(reference);
    await this.#saved(reference, null, before);
  }

  /** Sorted as they are written in full. */
  of(image: ImageID): Reference[] {
    const keys = [...(this.#byImage.get(image) ?? [])].sort();
    return keys.flatMap((key) => this.#entries.get(key)?.reference ?? []);
  }

  list(): { readonly reference: Reference; readonly image: ImageID }[] {
    return [...this.#entries.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }

  /** On disk, or as it was before: unless somebody else has changed the name meanwhile. */
  async #saved(reference: Reference, now: ImageID | null, before: ImageID | null): Promise<void> {
    try {
      await this.#file.save();
    } catch (error) {
      if (this.resolve(reference) === now) {
        if (before === null) this.#drop(reference);
        else this.#put(reference, before);
      }
      throw error;
    }
  }

  #put(reference: Reference, image: ImageID): void {
    this.#drop(reference);
    const key = keyOf(reference);
    this.#entries.set(key, { reference: stored(reference), image });
    this.#byImage.set(image, (this.#byImage.get(image) ?? new Set()).add(key));
  }

  #drop(reference: Reference): void {
    const key = keyOf(reference);
    const image = this.#entries.get(key)?.image;
    if (image === undefined) return;
    this.#entries.delete(key);
    const keys = this.#byImage.get(image);
    keys?.delete(key);
    if (keys?.size === 0) this.#byImage.delete(image);
  }

  #json(): string {
    return `${JSON.stringify(Object.fromEntries(this.list().map(({ reference, image }) => [keyOf(reference), image])), null, 1)}\n`;
  }
}

/** Where both are given the digest says more than the tag, and only it is kept (Docker's `favorDigest`). */
const stored = (reference: Reference): Reference =>
  reference.digest === null ? withDefaultTag(reference) : { ...reference, tag: null };
const keyOf = (reference: Reference): string => canonical(stored(reference));

async function readEntries(file: string): Promise<Readonly<Record<string, unknown>>> {
  let json: string;
  try {
    json = await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return {};
    throw error;
  }
  try {
    return record(anything)(JSON.parse(json), 'repositories');
  } catch (error) {
    warn('%s cannot be read and is put aside as %s.damaged: %s', file, file, error);
    await rename(file, `${file}.damaged`);
    return {};
  }
}
