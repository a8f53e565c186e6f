import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import createDebug from 'debug';
import { InvalidParameter, NoSuchContainer } from '../api/errors.ts';
import { type ContainerID, containerID, type ImageID } from '../api/ids.ts';
import { writeAtomic, writeWhole } from '../std/atomic-file.ts';
import { hasErrno } from '../std/errno.ts';
import { KeyedLock } from '../std/keyed-lock.ts';
import { mapBounded } from '../std/map-bounded.ts';
import { MultiMap } from '../std/multi-map.ts';
import { PrefixIndex } from '../std/prefix-index.ts';
import { fromRFC3339 } from '../std/timestamp.ts';
import { ContainerNames, withoutSlash } from './container-names.ts';
import type { ContainerRecord } from './container-record.ts';
import { containerRecord } from './container-record.ts';

const warn = createDebug('gantry:warn:containers');
const READS_AT_ONCE = 32;
const RECORD = 'config.json';

type Watcher = (record: ContainerRecord | null) => void;
interface Entry {
  readonly record: ContainerRecord;
  /** ns since 1970. */
  readonly created: bigint;
}

/**
 * What a saved record outlives: `synced` (the default) a power cut, `written` the death of the daemon, `memory` neither:
 * for what the next start finds out by itself, such as a removal under way.
 */
export type Durability = 'synced' | 'written' | 'memory';

/** Records, names and prefixes of containers; `<data-root>/containers/<id>/config.json`. */
export class Containers {
  /** One turn a container; taken by every job that changes it. */
  readonly lock = new KeyedLock<ContainerID>();
  readonly #folder: string;
  readonly #entries = new Map<ContainerID, Entry>();
  readonly #index = new PrefixIndex<ContainerID>();
  readonly #names = new ContainerNames();
  /** Neither changes in a container's life. */
  readonly #byImage = new MultiMap<ImageID, ContainerID>();
  readonly #byVolume = new MultiMap<string, ContainerID>();
  readonly #watchers = new MultiMap<ContainerID, Watcher>();
  /** Keeps writes of one record in the order in which they were asked for. */
  readonly #writing = new KeyedLock<ContainerID>();
  readonly #damaged: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads what is on disk. A folder without a record is what a crash left of a create or a removal: it is removed. One
   * whose record is damaged is left as it is, with a warning, and its container is not there.
   */
  static async open(folder: string): Promise<Containers> {
    await mkdir(folder, { recursive: true, mode: 0o710 });
    const containers = new Containers(folder);
    const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
    const records = await mapBounded(names, READS_AT_ONCE, (name) => containers.#read(containerID(name)));
    for (const record of records) if (record !== null) containers.#adopt(record);
    return containers;
  }

  /** Paths of records that could not be read: while there are any, nobody knows which layers and volumes they hold. */
  get damaged(): readonly string[] {
    return this.#damaged;
  }

  /** By id, name (with or without slash) or unique id prefix. Fails with NoSuchContainer, InvalidParameter (ambiguous). */
  get(reference: string): ContainerRecord {
    if (reference === '') throw new InvalidParameter('invalid name or ID supplied: ""');
    const id = this.#resolve(reference);
    if (id === 'several') throw new InvalidParameter(`multiple IDs found with provided prefix: ${reference}`);
    const entry = id === null ? undefined : this.#entries.get(id);
    if (entry === undefined) throw new NoSuchContainer(reference);
    return entry.record;
  }

  /** As `get`; null where that fails. */
  find(reference: string): ContainerRecord | null {
    const id = reference === '' ? null : this.#resolve(reference);
    return id === null || id === 'several' ? null : (this.#entries.get(id)?.record ?? null);
  }

  /** All, newest first. */
  list(): ContainerRecord[] {
    return newestFirst([...this.#entries.values()]);
  }

  /** Those made from an image, newest first. */
  ofImage(image: ImageID): ContainerRecord[] {
    return this.#records(this.#byImage.get(image));
  }

  /** Those that mount a volume, newest first. */
  ofVolume(name: string): ContainerRecord[] {
    return this.#records(this.#byVolume.get(name));
  }

  /** Fails with NameInUse or InvalidParameter (bad name). The name is held in memory until `add` or `releaseName`. */
  reserveName(name: string, id: ContainerID): void {
    this.#names.reserve(name, id);
  }

  /** Gives a reserved name back; the one that the container's record has stays held. */
  releaseName(name: string, id: ContainerID): void {
    if (this.#entries.get(id)?.record.Name !== withoutSlash(name)) this.#names.release(name, id);
  }

  /** A random `adjective_surname` that is free, reserved. */
  reserveRandomName(id: ContainerID): string {
    return this.#names.reserveRandom(id);
  }

  /** `<data-root>/containers/<id>`: config.json, hosts, hostname, resolv.conf, the log. */
  folder(id: ContainerID): string {
    return join(this.#folder, id);
  }

  /** Makes the folder (0710). */
  async makeFolder(id: ContainerID): Promise<string> {
    const folder = this.folder(id);
    await mkdir(folder, { mode: 0o710 });
    return folder;
  }

  /** On disk before it returns. Fails with NameInUse when another container holds its name. */
  async add(record: ContainerRecord): Promise<void> {
    await this.#write(record, 'synced');
  }

  /**
   * Replaces the record: as safe as `durability` says before it returns, in memory at the same moment as a reader can
   * see it. With a new name the former one is free from then on. Fails with NoSuchContainer when it has been removed.
   */
  async save(record: ContainerRecord, durability: Durability = 'synced'): Promise<void> {
    if (!this.#entries.has(record.ID)) throw new NoSuchContainer(record.ID);
    await this.#write(record, durability);
  }

  /** Brings the record as it is now onto the disk, where readers were shown it before. One that is gone is no error. */
  async sync(id: ContainerID): Promise<void> {
    await using _turn = await this.#writing.acquire(id);
    const entry = this.#entries.get(id);
    if (entry !== undefined) await this.#store(entry.record, 'synced');
  }

  /** Forgets the record and its name. The folder goes behind the answer; one that cannot be removed, with the next start. */
  async remove(id: ContainerID): Promise<void> {
    await using _turn = await this.#writing.acquire(id);
    const entry = this.#entries.get(id);
    // The record goes first: what a crash leaves then is a folder without one, and open() takes that away.
    await unlink(join(this.folder(id), RECORD)).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) throw error;
    });
    if (entry !== undefined) this.#drop(entry.record);
    if (entry !== undefined) this.#tell(id, null);
    void rm(this.folder(id), { recursive: true, force: true }).catch((error: unknown) => {
      warn('%s stays until the next start: %O', this.folder(id), error);
    });
  }

  /** Called after every add, save and remove (null). Returns how to stop it. For wait, filters, supervision. */
  watch(id: ContainerID, changed: Watcher): () => void {
    const mine: Watcher = (record) => changed(record);
    this.#watchers.add(id, mine);
    return () => this.#watchers.delete(id, mine);
  }

  #resolve(reference: string): ContainerID | 'several' | null {
    const found = this.#index.find(reference);
    if (found === reference) return found;
    return this.#names.holder(withoutSlash(reference)) ?? found;
  }

  async #write(record: ContainerRecord, durability: Durability): Promise<void> {
    await using _turn = await this.#writing.acquire(record.ID);
    const before = this.#entries.get(record.ID)?.record;
    if (before?.Name !== record.Name) this.#names.reserve(record.Name, record.ID);
    if (durability !== 'memory') await this.#store(record, durability);
    this.#put(record);
    if (before !== undefined && before.Name !== record.Name) this.#names.release(before.Name, record.ID);
    this.#tell(record.ID, record);
  }

  #store(record: ContainerRecord, durability: 'synced' | 'written'): Promise<void> {
    const path = join(this.folder(record.ID), RECORD);
    const json = JSON.stringify(record);
    return durability === 'synced' ? writeAtomic(path, json) : writeWhole(path, json);
  }

  #put(record: ContainerRecord): void {
    this.#entries.set(record.ID, { record, created: fromRFC3339(record.Created) ?? 0n });
    this.#index.add(record.ID);
    this.#byImage.add(record.ImageID, record.ID);
    for (const name of volumesOf(record)) this.#byVolume.add(name, record.ID);
  }

  #drop(record: ContainerRecord): void {
    this.#entries.delete(record.ID);
    this.#index.remove(record.ID);
    this.#names.release(record.Name, record.ID);
    this.#byImage.delete(record.ImageID, record.ID);
    for (const name of volumesOf(record)) this.#byVolume.delete(name, record.ID);
  }

  #records(ids: ReadonlySet<ContainerID>): ContainerRecord[] {
    return newestFirst([...ids].flatMap((id) => this.#entries.get(id) ?? []));
  }

  #tell(id: ContainerID, record: ContainerRecord | null): void {
    for (const changed of [...this.#watchers.get(id)]) changed(record);
  }

  async #read(id: ContainerID): Promise<ContainerRecord | null> {
    const folder = this.folder(id);
    const path = join(folder, RECORD);
    try {
      // At start nobody waits for the loop, and hundreds of small reads are many times faster without the pool.
      const files = readdirSync(folder);
      if (!files.includes(RECORD)) {
        await rm(folder, { recursive: true, force: true });
        return null;
      }
      for (const file of files) if (file.endsWith('.tmp')) await unlink(join(folder, file));
      const record = containerRecord(JSON.parse(readFileSync(path, 'utf8')), 'container');
      if (record.ID !== id) throw new InvalidParameter(`it is the record of ${record.ID}`);
      return record;
    } catch (error) {
      this.#damaged.push(path);
      warn('%s: container %s is left out: %s', path, id.slice(0, 12), error);
      return null;
    }
  }

  #adopt(record: ContainerRecord): void {
    try {
      this.#names.reserve(record.Name, record.ID);
    } catch (error) {
      warn('%s: container %s is found by its id alone: %s', this.folder(record.ID), record.ID.slice(0, 12), error);
    }
    this.#put(record);
  }
}

function newestFirst(entries: Entry[]): ContainerRecord[] {
  entries.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
  return entries.map(({ record }) => record);
}

function volumesOf({ MountPoints }: ContainerRecord): string[] {
  return MountPoints.filter(({ Type }) => Type === 'volume').map(({ Name }) => Name);
}
