import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { InvalidParameter } from '../api/errors.ts';
import { syncFolder } from '../std/atomic-file.ts';
import { flag, object, text } from '../std/decode.ts';
import { hasErrno } from '../std/errno.ts';
import { KeyedLock } from '../std/keyed-lock.ts';
import { mapBounded } from '../std/map-bounded.ts';
import { now, toRFC3339 } from '../std/timestamp.ts';
import { Undo } from '../std/undo.ts';

const warn = createDebug('gantry:warn:volumes');
const ALLOWED = '[a-zA-Z0-9][a-zA-Z0-9_.-]';
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_NAME_BYTES = 255;
const READS_AT_ONCE = 32;
/** A container may leave programs with set-id bits and device nodes in a volume: no other user of the host gets at them. */
const PRIVATE = 0o700;
const RECORD = 'volume.json';
/** No volume's name begins with a dot: what does is on its way in or out. */
const TEMPORARY = '.';

const volumeRecord = object({ anonymous: flag, createdAt: text });

/** Local volumes: `<data-root>/volumes/<name>/{_data,volume.json}`. */
export interface Volume {
  readonly name: string;
  /** Absolute path of its folder on the host. */
  readonly path: string;
  /** It was made without a name, and goes with its container (`rm -v`, `--rm`). */
  readonly anonymous: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Takes away the folder `name` below `parent` and all in it, and never follows a link on the way. What is not
 *  there is no error. */
export type RemoveTree = (parent: string, name: string) => Promise<void>;

export class Volumes {
  readonly #folder: string;
  readonly #removeTree: RemoveTree;
  readonly #volumes = new Map<string, Volume>();
  readonly #lock = new KeyedLock<string>();

  private constructor(folder: string, removeTree: RemoveTree) {
    this.#folder = folder;
    this.#removeTree = removeTree;
  }

  /** Reads what is there, and takes away what a crash left half made or half removed. */
  static async open(folder: string, removeTree: RemoveTree): Promise<Volumes> {
    await mkdir(folder, { recursive: true, mode: PRIVATE });
    await chmod(folder, PRIVATE);
    const volumes = new Volumes(folder, removeTree);
    await mapBounded(await readdir(folder), READS_AT_ONCE, (name) => volumes.#read(name));
    return volumes;
  }

  get(name: string): Volume | null {
    return this.#volumes.get(name) ?? null;
  }

  /** Sorted by name. */
  list(): Volume[] {
    return [...this.#volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Gives the one that is there, or makes it. `null`: an anonymous one of 64 hex digits. Fails with InvalidParameter. */
  async ensure(name: string | null): Promise<Volume> {
    const chosen = name ?? randomBytes(32).toString('hex');
    checkName(chosen);
    await using _turn = await this.#lock.acquire(chosen);
    return this.#volumes.get(chosen) ?? (await this.#make(chosen, name === null));
  }

  /** One that is not there is no error. */
  async remove(name: string): Promise<void> {
    await using _turn = await this.#lock.acquire(name);
    if (!this.#volumes.has(name)) return;
    const going = temporaryName();
    await rename(join(this.#folder, name), join(this.#folder, going));
    this.#volumes.delete(name);
    await this.#removeTree(this.#folder, going);
  }

  /** All of it under another name, then at once in its place: a crash leaves nothing of a volume, or the whole. */
  async #make(name: string, anonymous: boolean): Promise<Volume> {
    await using undo = new Undo();
    const making = temporaryName();
    const folder = join(this.#folder, making);
    undo.defer(`remove what there is of volume ${name}`, () => this.#removeTree(this.#folder, making));
    await mkdir(folder, { mode: 0o701 });
    await mkdir(join(folder, '_data'), { mode: 0o755 });
    const createdAt = toRFC3339(now());
    await writeFile(join(folder, RECORD), JSON.stringify({ anonymous, createdAt }), { mode: 0o600, flush: true });
    await rename(folder, join(this.#folder, name));
    undo.keep();
    await syncFolder(this.#folder);
    return this.#put({ name, path: this.#data(name), anonymous, createdAt });
  }

  async #read(name: string): Promise<void> {
    if (name.startsWith(TEMPORARY)) return this.#removeTree(this.#folder, name);
    const path = join(this.#folder, name, RECORD);
    try {
      const record = volumeRecord(JSON.parse(await readFile(path, 'utf8')), 'volume');
      this.#put({ name, path: this.#data(name), ...record });
    } catch (error) {
      await this.#readDamaged(name, path, error);
    }
  }

  /** A volume is its data: one whose record is lost is kept as a named one, which nothing removes unasked. */
  async #readDamaged(name: string, path: string, cause: unknown): Promise<void> {
    const data = await stat(this.#data(name)).catch(() => null);
    if (!data?.isDirectory()) {
      if (!hasErrno(cause, 'ENOTDIR')) warn('%s: volume %s is left out: %s', path, name, cause);
      return;
    }
    warn('%s: volume %s is kept as one with a name: %s', path, name, cause);
    this.#put({ name, path: this.#data(name), anonymous: false, createdAt: data.birthtime.toISOString() });
  }

  #put(volume: Volume): Volume {
    this.#volumes.set(volume.name, volume);
    return volume;
  }

  #data(name: string): string {
    return join(this.#folder, name, '_data');
  }
}

/** In dockerd's words (volume/local, `validateName`). */
function checkName(name: string): void {
  if (name.length === 1) {
    throw new InvalidParameter(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  if (!NAME.test(name)) {
    throw new InvalidParameter(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "${ALLOWED}" are allowed. ` +
        'If you intended to pass a host directory, use absolute path',
    );
  }
  if (name.length > MAX_NAME_BYTES) {
    throw new InvalidParameter(`create ${name.slice(0, 32)}…: volume name is longer than ${MAX_NAME_BYTES} bytes`);
  }
}

const temporaryName = (): string => `${TEMPORARY}${randomBytes(8).toString('hex')}`;
