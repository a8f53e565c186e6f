import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { InvalidParameter } from '../api/errors.ts';
import { type ContainerID, containerID } from '../api/ids.ts';
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
/** `.for-<container>-<name>`: made for a container of which nobody knows yet. */
const DRAFT = /^\.for-([0-9a-f]{64})-([0-9a-f]{64})$/;

const volumeRecord = object({ anonymous: flag, createdAt: text });

/** A volume that is there, as it was made. */
export interface Volume {
  readonly name: string;
  /** Absolute path of its folder on the host. */
  readonly path: string;
  /** It was made without a name, and goes with its container (`rm -v`, `--rm`). */
  readonly anonymous: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

/**
 * Takes away the folder `name` below `parent` and all in it, and never follows a link on the way. What is not there is
 * no error.
 */
export type RemoveTree = (parent: string, name: string) => Promise<void>;

/** Local volumes: `<data-root>/volumes/<name>/{_data,volume.json}`. */
export class Volumes {
  readonly #folder: string;
  readonly #removeTree: RemoveTree;
  readonly #volumes = new Map<string, Volume>();
  /** Names of folders, by volume. */
  readonly #drafts = new Map<string, string>();
  readonly #lock = new KeyedLock<string>();

  private constructor(folder: string, removeTree: RemoveTree) {
    this.#folder = folder;
    this.#removeTree = removeTree;
  }

  /** Reads what is there, and takes away what a crash left half made or half removed. `settleDrafts` has to follow. */
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

  /** Gives the one that is there, or makes it. Fails with InvalidParameter. */
  async ensure(name: string): Promise<Volume> {
    checkName(name);
    await using _turn = await this.#lock.acquire(name);
    return this.#volumes.get(name) ?? (await this.#make(name, name, false));
  }

  /**
   * Makes an anonymous one, of 64 hex digits, for a container that is being made. Until `settle` it is there for this
   * daemon alone: should it die, the next one takes the volume away, unless it finds the container.
   */
  draft(container: ContainerID): Promise<Volume> {
    const name = randomBytes(32).toString('hex');
    const folder = `.for-${container}-${name}`;
    this.#drafts.set(name, folder);
    return this.#make(name, folder, true);
  }

  /** The container is on disk: its volumes stay, whatever comes. */
  async settle(container: ContainerID): Promise<void> {
    await this.#settle([...this.#drafts].filter(([, folder]) => DRAFT.exec(folder)?.[1] === container));
  }

  /** At start: what a crash left on its way stays where its container is there. */
  async settleDrafts(isThere: (container: ContainerID) => boolean): Promise<void> {
    const drafts = [...this.#drafts];
    const isKept = ([, folder]: readonly [string, string]) => isThere(containerID(DRAFT.exec(folder)?.[1] ?? ''));
    await this.#settle(drafts.filter(isKept));
    for (const [name] of drafts.filter((draft) => !isKept(draft))) await this.remove(name);
  }

  /** One that is not there is no error. */
  async remove(name: string): Promise<void> {
    await using _turn = await this.#lock.acquire(name);
    if (!this.#volumes.has(name)) return;
    const going = temporaryName();
    await rename(join(this.#folder, this.#drafts.get(name) ?? name), join(this.#folder, going));
    this.#volumes.delete(name);
    this.#drafts.delete(name);
    await this.#removeTree(this.#folder, going);
  }

  /** All of it under another name, then at once in its place: a crash leaves nothing of a volume, or the whole. */
  async #make(name: string, place: string, anonymous: boolean): Promise<Volume> {
    await using undo = new Undo();
    undo.defer(`forget volume ${name}`, () => this.#drafts.delete(name));
    const making = temporaryName();
    const folder = join(this.#folder, making);
    undo.defer(`remove what there is of volume ${name}`, () => this.#removeTree(this.#folder, making));
    await mkdir(folder, { mode: 0o701 });
    await mkdir(join(folder, '_data'), { mode: 0o755 });
    const createdAt = toRFC3339(now());
    await writeFile(join(folder, RECORD), JSON.stringify({ anonymous, createdAt }), { mode: 0o600, flush: true });
    await rename(folder, join(this.#folder, place));
    undo.keep();
    await syncFolder(this.#folder);
    return this.#put({ name, path: this.#data(name), anonymous, createdAt });
  }

  async #settle(drafts: readonly (readonly [name: string, folder: string])[]): Promise<void> {
    for (const [name, folder] of drafts) {
      await rename(join(this.#folder, folder), join(this.#folder, name));
      this.#drafts.delete(name);
    }
    if (drafts.length > 0) await syncFolder(this.#folder);
  }

  async #read(folder: string): Promise<void> {
    const [, , draft] = DRAFT.exec(folder) ?? [];
    if (draft === undefined && folder.startsWith(TEMPORARY)) return this.#removeTree(this.#folder, folder);
    const name = draft ?? folder;
    if (draft !== undefined) this.#drafts.set(draft, folder);
    const path = join(this.#folder, folder, RECORD);
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
