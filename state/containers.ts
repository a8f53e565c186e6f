import type { ContainerRecord } from '../api/container.ts';
import type { ContainerID } from '../api/ids.ts';
import type { KeyedLock } from '../std/keyed-lock.ts';

/**
 * What a saved record outlives: `synced` (the default) a power cut, `written` the death of the daemon, `memory` neither:
 * for what the next start finds out by itself, such as a removal under way.
 */
export type Durability = 'synced' | 'written' | 'memory';

/** Records, names and prefixes of containers; `<data-root>/containers/<id>/config.json`. */
export declare class Containers {
  /** Reads what is on disk. A folder without a whole record is what a crash left of a create: it is removed. */
  static open(folder: string): Promise<Containers>;
  /** One turn a container; taken by every job that changes it. */
  readonly lock: KeyedLock<ContainerID>;
  /** By id, name (with or without slash) or unique id prefix. Fails with NoSuchContainer, InvalidParameter (ambiguous). */
  get(reference: string): ContainerRecord;
  find(reference: string): ContainerRecord | null;
  /** All, newest first. */
  list(): ContainerRecord[];
  /** Fails with NameInUse or InvalidParameter (bad name). The name is held in memory until `add` or `releaseName`. */
  reserveName(name: string, id: ContainerID): void;
  releaseName(name: string, id: ContainerID): void;
  /** A random `adjective_surname` that is free, reserved. */
  reserveRandomName(id: ContainerID): string;
  /** `<data-root>/containers/<id>`: config.json, hosts, hostname, resolv.conf, the log. */
  folder(id: ContainerID): string;
  /** Makes the folder (0710). */
  makeFolder(id: ContainerID): Promise<string>;
  /** On disk before it returns. */
  add(record: ContainerRecord): Promise<void>;
  /** Replaces the record: as safe as `durability` says before it returns, in memory at the same moment as a reader can
   *  see it. */
  save(record: ContainerRecord, durability?: Durability): Promise<void>;
  /** Forgets the record, its name and its folder. */
  remove(id: ContainerID): Promise<void>;
  /** Called after every add, save and remove (null). Returns how to stop it. For wait, filters, supervision. */
  watch(id: ContainerID, changed: (record: ContainerRecord | null) => void): () => void;
}
