import { mkdir, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { InvalidParameter, NotFound } from '../api/errors.ts';
import { diffID, type ImageID, imageID, sha256 } from '../api/ids.ts';
import { type Image, imageConfig } from '../api/image.ts';
import { removeTemporaries, writeAtomic } from '../std/atomic-file.ts';
import { CoalescedFile } from '../std/coalesced-file.ts';
import { anything, DecodeError, record, text } from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';
import { KeyedLock } from '../std/keyed-lock.ts';
import { mapBounded } from '../std/map-bounded.ts';
import { parseJSON } from '../std/parse-json.ts';
import { PrefixIndex } from '../std/prefix-index.ts';

const warn = createDebug('gantry:warn:images');

/** Largest image config, in bytes: a manifest in a registry may have 4 MiB. */
export const MAX_CONFIG_BYTES = 4 * 1024 ** 2;
/** dockerd's bound on layers one on another (`maxLayerDepth`). */
const MAX_LAYERS = 125;
const MAX_HISTORY = 10_000;
const READS_AT_ONCE = 32;
const CONFIG_NAME = /^([0-9a-f]{64})(\.loose)?$/;
const LOOSE = '.loose';

/**
 * Image configs by id: `<data-root>/image/configs/<hex>`, the bytes as they came; when each was last tagged:
 * `<data-root>/image/tagged.json`. A config that is `loose`, `<hex>.loose`, is on its way in or out: a daemon that finds
 * one at start keeps it if it has a name by then, and lets it go if not.
 */
export class Images {
  /** One turn an image; taken by every job that adds, names or removes it. */
  readonly lock = new KeyedLock<ImageID>();
  readonly #folder: string;
  readonly #images = new Map<ImageID, Image>();
  readonly #index = new PrefixIndex<string>();
  readonly #loose = new Set<ImageID>();
  readonly #tagged = new Map<ImageID, string>();
  readonly #taggedFile: CoalescedFile;
  readonly #damaged: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
    this.#taggedFile = new CoalescedFile(join(folder, 'tagged.json'), () =>
      JSON.stringify(Object.fromEntries(this.#tagged)),
    );
  }

  /**
   * `folder` is `<data-root>/image`. A config whose bytes are not what its name says is left out, with a warning.
   * `settleLoose` has to follow.
   */
  static async open(folder: string): Promise<Images> {
    const images = new Images(folder);
    await mkdir(join(folder, 'configs'), { recursive: true, mode: 0o700 });
    await removeTemporaries(folder);
    const names = await readdir(join(folder, 'configs'));
    await mapBounded(names, READS_AT_ONCE, (name) => images.#read(name));
    await images.#readTagged();
    return images;
  }

  /** Paths of configs that could not be read: while there are any, nobody knows which layers they stand on. */
  get damaged(): readonly string[] {
    return this.#damaged;
  }

  /**
   * Stores the config's bytes; its id is their digest. The same bytes twice are one image. With `isLoose`, a new one is
   * until `settle`. Fails with InvalidParameter.
   */
  async add(config: Buffer, { isLoose = false }: { readonly isLoose?: boolean } = {}): Promise<Image> {
    const image = parseImage(config);
    const present = this.#images.get(image.id);
    if (present !== undefined) {
      if (!isLoose) await this.settle(image.id);
      return present;
    }
    await writeAtomic(this.#path(image.id, isLoose), config);
    if (isLoose) this.#loose.add(image.id);
    this.#put(image);
    return image;
  }

  /** It stays from now on, with or without a name. */
  async settle(id: ImageID): Promise<void> {
    if (!this.#loose.has(id)) return;
    await rename(this.#path(id, true), this.#path(id, false));
    this.#loose.delete(id);
  }

  /** Before its last name goes, and it as well: should that be cut short, it goes at the next start. */
  async loosen(id: ImageID): Promise<void> {
    if (this.#loose.has(id) || !this.#images.has(id)) return;
    await rename(this.#path(id, false), this.#path(id, true));
    this.#loose.add(id);
  }

  /** At start, for what a crash left on its way. */
  async settleLoose(isNamed: (id: ImageID) => boolean): Promise<void> {
    for (const id of [...this.#loose]) await (isNamed(id) ? this.settle(id) : this.remove(id));
  }

  get(id: ImageID): Image | null {
    return this.#images.get(id) ?? null;
  }

  /** By unique prefix of the hex digits, 2 to 64 of them; null when none or several. */
  findByPrefix(hex: string): Image | null {
    if (!/^[0-9a-f]{2,64}$/.test(hex)) return null;
    const found = this.#index.find(hex);
    return found === null || found === 'several' ? null : this.get(imageID(`sha256:${found}`));
  }

  list(): Image[] {
    return [...this.#images.values()];
  }

  /** The bytes of the config. Fails with NotFound. */
  async bytes(id: ImageID): Promise<Buffer> {
    if (!this.#images.has(id)) throw new NotFound(`No such image: ${id}`);
    return readFile(this.#path(id, this.#loose.has(id)));
  }

  async remove(id: ImageID): Promise<void> {
    if (!this.#images.delete(id)) return;
    this.#index.remove(hexOf(id));
    await unlink(this.#path(id, this.#loose.delete(id))).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) throw error;
    });
    if (this.#tagged.delete(id)) await this.#taggedFile.save();
  }

  /** When it was last tagged, RFC 3339, or null. */
  lastTagged(id: ImageID): string | null {
    return this.#tagged.get(id) ?? null;
  }

  async setLastTagged(id: ImageID, at: string): Promise<void> {
    this.#tagged.set(id, at);
    await this.#taggedFile.save();
  }

  #put(image: Image): void {
    this.#images.set(image.id, image);
    this.#index.add(hexOf(image.id));
  }

  #path(id: ImageID, isLoose: boolean): string {
    return join(this.#folder, 'configs', hexOf(id) + (isLoose ? LOOSE : ''));
  }

  async #read(name: string): Promise<void> {
    const path = join(this.#folder, 'configs', name);
    if (name.endsWith('.tmp')) return unlink(path);
    const [, hex, loose] = CONFIG_NAME.exec(name) ?? [];
    if (hex === undefined) return;
    try {
      const image = parseImage(await readFile(path));
      if (hexOf(image.id) !== hex) throw new InvalidParameter(`its digest is ${image.id}`);
      if (loose !== undefined) this.#loose.add(image.id);
      this.#put(image);
    } catch (error) {
      this.#damaged.push(path);
      warn('%s: image %s is left out: %s', path, name.slice(0, 12), error);
    }
  }

  async #readTagged(): Promise<void> {
    const path = join(this.#folder, 'tagged.json');
    try {
      const entries = record(anything)(JSON.parse(await readFile(path, 'utf8')), 'tagged');
      for (const [id, at] of Object.entries(entries)) this.#tagged.set(imageID(id), text(at, id));
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return;
      warn('%s: times of tagging are left out: %s', path, error);
      await rename(path, `${path}.damaged`);
    }
  }
}

const hexOf = (id: ImageID): string => id.slice('sha256:'.length);

/** Reads an image's config. Fails with InvalidParameter that says what is wrong with it. */
export function parseImage(bytes: Buffer): Image {
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new InvalidParameter(`invalid image JSON: ${bytes.length} bytes, at most ${MAX_CONFIG_BYTES} are read`);
  }
  const config = decodeConfig(bytes);
  const diffs = config.rootfs.diff_ids.map(diffID);
  if (diffs.length > MAX_LAYERS) throw new InvalidParameter('max depth exceeded');
  if (config.history.length > MAX_HISTORY) {
    throw new InvalidParameter(`invalid image JSON: ${config.history.length} history entries, at most ${MAX_HISTORY}`);
  }
  return { id: imageID(sha256(bytes)), config, diffIDs: diffs };
}

function decodeConfig(bytes: Buffer): Image['config'] {
  try {
    const value = parseJSON(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !('rootfs' in value)) {
      throw new InvalidParameter('invalid image JSON, no RootFS key');
    }
    return imageConfig(value, 'image');
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError) {
      throw new InvalidParameter(`invalid image JSON: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
