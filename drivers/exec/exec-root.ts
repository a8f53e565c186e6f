/**
 * The exec-root: a folder for every monitor (ARCHITECTURE.md, "On disk").
 *
 *   c/<32 digits>/ e/<32 digits>/
 *     meta.json    who this is, written before the monitor starts; of a container also its compiled seccomp filter, for what
 *                  is executed in it later
 *     sock exit    the monitor's
 *     rootfs       a mount point, empty for whoever is not in the container's mount namespace
 */
import { mkdir, readdir, readFile, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidParameter } from '../../api/errors.ts';
import { type ContainerID, containerID, type ExecID, execID } from '../../api/ids.ts';
import { flag, nullable, object, text } from '../../std/decode.ts';
import { hasErrno } from '../../std/errno.ts';
import { type Exited, parseExited } from '../libcontainer/monitor.ts';
import { FLAG } from '../libcontainer/program.ts';
import { runProgram } from '../libcontainer/run-program.ts';

/** Room for `/c/<32 digits>/sock` in the 108 bytes of a socket's address. */
const MAX_PATH_BYTES = 60;
const ID_DIGITS = 32;
const OWNER = 'exec';

const containerMeta = object({ id: text, tty: flag, cgroupsPath: text, filter: nullable(text) });
const execMeta = object({ id: text, container: text, tty: flag });

export interface ContainerMeta {
  readonly id: ContainerID;
  readonly tty: boolean;
  readonly cgroupsPath: string;
  /** Compiled (drivers/libcontainer/seccomp.ts), or null for none. */
  readonly filter: Buffer | null;
}

export interface ExecMeta {
  readonly id: ExecID;
  readonly container: ContainerID;
  readonly tty: boolean;
}

export class ExecRoot {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Makes the folders. Fails with InvalidParameter for a path that leaves no room for a socket's name. */
  static async open(path: string): Promise<ExecRoot> {
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      throw new InvalidParameter(`exec-root ${path} is too long: a path of at most ${MAX_PATH_BYTES} bytes is needed`);
    }
    await mkdir(path, { recursive: true, mode: 0o711 });
    for (const kind of ['c', 'e']) await mkdir(join(path, kind), { recursive: true, mode: 0o700 });
    return new ExecRoot(path);
  }

  container(id: ContainerID): string {
    return join(this.#path, 'c', id.slice(0, ID_DIGITS));
  }

  exec(id: ExecID): string {
    return join(this.#path, 'e', id.slice(0, ID_DIGITS));
  }

  /** Makes a container's folder. Fails with EEXIST when it is there. */
  async makeContainer(meta: ContainerMeta): Promise<string> {
    const filter = meta.filter?.toString('base64') ?? null;
    return make(this.container(meta.id), JSON.stringify({ ...meta, filter }));
  }

  /** Makes an exec's folder. Fails with EEXIST when it is there. */
  async makeExec(meta: ExecMeta): Promise<string> {
    return make(this.exec(meta.id), JSON.stringify(meta));
  }

  /** Folders of all containers, or of all execs. */
  async folders(kind: 'c' | 'e'): Promise<string[]> {
    const names = await readdir(join(this.#path, kind));
    return names.map((name) => join(this.#path, kind, name));
  }
}

async function make(folder: string, meta: string): Promise<string> {
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'meta.json'), meta, { mode: 0o600 });
  return folder;
}

/** Null for a folder whose maker did not get far enough. */
export async function readContainerMeta(folder: string): Promise<ContainerMeta | null> {
  const meta = await readJson(join(folder, 'meta.json'), containerMeta);
  if (meta === null) return null;
  const filter = meta.filter === null ? null : Buffer.from(meta.filter, 'base64');
  return { ...meta, id: containerID(meta.id), filter };
}

/** Null for a folder whose maker did not get far enough. */
export async function readExecMeta(folder: string): Promise<ExecMeta | null> {
  const meta = await readJson(join(folder, 'meta.json'), execMeta);
  return meta === null ? null : { ...meta, id: execID(meta.id), container: containerID(meta.container) };
}

/** What a monitor left of how its process ended, or null. */
export async function readExit(folder: string): Promise<Exited | null> {
  try {
    return parseExited(await readFile(join(folder, 'exit'), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Takes a monitor's folder away, by the names it may have in it and never by a walk: should a rootfs ever be mounted there,
 * it stays untouched, and this fails with EBUSY.
 */
export async function removeFolder(folder: string): Promise<void> {
  const flags = FLAG.mayFail | FLAG.missingOk;
  const { warnings } = await runProgram([
    { op: 'unlink', owner: OWNER, path: join(folder, 'meta.json'), flags },
    { op: 'unlink', owner: OWNER, path: join(folder, 'exit'), flags },
    { op: 'unlink', owner: OWNER, path: join(folder, 'sock'), flags },
    { op: 'rmdir', owner: OWNER, path: join(folder, 'rootfs'), flags },
    { op: 'rmdir', owner: OWNER, path: folder, flags },
  ]);
  if (warnings.length > 0) await removeByName(folder);
}

/** What a crash may have left beside them is temporary files. */
async function removeByName(folder: string): Promise<void> {
  const left = await readdir(folder).catch(() => []);
  for (const name of left) {
    if (name === 'rootfs') await rmdir(join(folder, name)).catch(ignoreMissing);
    else await unlink(join(folder, name)).catch(ignoreMissing);
  }
  await rmdir(folder).catch(ignoreMissing);
}

async function readJson<T>(path: string, decode: (value: unknown, path: string) => T): Promise<T | null> {
  try {
    return decode(JSON.parse(await readFile(path, 'utf8')), path);
  } catch {
    return null;
  }
}

function isMissing(error: unknown): boolean {
  return hasErrno(error, 'ENOENT');
}

function ignoreMissing(error: unknown): void {
  if (!isMissing(error)) throw error;
}
