/** A machine's corner for containers: an exec driver on its own exec-root, a busybox rootfs, cgroups of their own. */
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capabilitiesFor } from '../../api/capabilities.ts';
import { type ContainerID, newContainerID, newExecID } from '../../api/ids.ts';
import type { OciSpec } from '../../api/oci.ts';
import { FrameReader, STDERR, STDOUT } from '../../api/streams.ts';
import type { Attachment, ExecDriver, Exit, Process, RunRequest, StdioPlan } from '../../drivers/exec/driver.ts';
import { type Operation, SLOT } from '../../drivers/libcontainer/program.ts';
import type { NetworkPlan } from '../../drivers/network/driver.ts';
import { NoneNetwork } from '../../drivers/network/host.ts';
import { BASE_SPEC } from '../libcontainer/specs.ts';

const BUSYBOX = '/bin/busybox';
const APPLETS =
  'sh cat echo id ls sleep mount mkdir kill stty tty hostname ip head dd mknod unshare true pwd wc test readlink tr grep rm touch';

/** A monitor says how it went and then ends; it may take this long. */
const SETTLE_MS = 5000;

export interface Driver extends ExecDriver, Disposable {}

export interface Wishes {
  readonly spec?: (spec: OciSpec) => OciSpec;
  readonly process?: Partial<OciSpec['process']>;
  readonly linux?: Partial<OciSpec['linux']>;
  readonly user?: string;
  readonly init?: boolean;
  readonly tty?: boolean;
  readonly stdin?: boolean;
  readonly consoleSize?: readonly [number, number];
  readonly network?: NetworkPlan;
  readonly log?: RunRequest['log'];
  /** Another root than the usual one. */
  readonly rootfs?: string;
}

export interface Started {
  readonly id: ContainerID;
  readonly process: Process;
  readonly attachment: Attachment;
  /** What came out so far. */
  readonly output: Output;
  readonly ended: Promise<Ended>;
}

export interface Ended extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Takes an attachment's frames apart. */
export class Output {
  stdout = '';
  stderr = '';
  readonly closed: Promise<void>;
  #changed: () => void = () => {};

  constructor({ connection }: Attachment) {
    const frames = new FrameReader();
    connection.on('data', (chunk: Buffer) => {
      for (const { type, payload } of frames.push(chunk)) {
        if (type === STDOUT) this.stdout += payload.toString();
        if (type === STDERR) this.stderr += payload.toString();
      }
      this.#changed();
    });
    this.closed = new Promise((resolve) => {
      connection.once('close', () => {
        resolve();
        this.#changed();
      });
    });
  }

  /** Resolves when stdout has these words in it. */
  async until(words: string): Promise<void> {
    let open = true;
    void this.closed.then(() => {
      open = false;
    });
    while (!this.stdout.includes(words)) {
      if (!open) throw new Error(`closed before ${JSON.stringify(words)}: ${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

export class ExecWorld {
  driver: Driver;
  readonly folder: string;
  readonly #make: (execRoot: string) => Promise<Driver>;
  readonly #containers = new Set<ContainerID>();

  private constructor(folder: string, driver: Driver, make: (execRoot: string) => Promise<Driver>) {
    this.folder = folder;
    this.driver = driver;
    this.#make = make;
  }

  static async open(make: (execRoot: string) => Promise<Driver>): Promise<ExecWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'g-'));
    await makeRootfs(join(folder, 'fs'));
    return new ExecWorld(folder, await make(join(folder, 'x')), make);
  }

  get rootfs(): string {
    return join(this.folder, 'fs');
  }

  get cgroupParent(): string {
    return `/gantry-${basename(this.folder)}`;
  }

  /** The daemon ends and another comes. */
  async restartDriver(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    this.driver[Symbol.dispose]();
    await meanwhile();
    this.driver = await this.#make(join(this.folder, 'x'));
  }

  async request(args: readonly string[], wishes: Wishes = {}, stdio: Partial<StdioPlan> = {}): Promise<RunRequest> {
    const id = newContainerID();
    this.#containers.add(id);
    const path = join(this.folder, 'x', 'c', id.slice(0, 32), 'rootfs');
    const { tty = false, stdin = false, consoleSize = null } = wishes;
    const spec: OciSpec = {
      ...BASE_SPEC,
      root: { path, readonly: false },
      process: { ...BASE_SPEC.process, args, terminal: tty, ...wishes.process },
      linux: { ...BASE_SPEC.linux, cgroupsPath: `${this.cgroupParent}/${id}`, ...wishes.linux },
    };
    return {
      id,
      spec: wishes.spec?.(spec) ?? spec,
      rootfs: rootfsOperations(wishes.rootfs ?? this.rootfs, path),
      network: wishes.network ?? (await new NoneNetwork().join(id)),
      stdio: { tty, openStdin: stdin, consoleSize, attach: [], ...stdio },
      log: wishes.log ?? { format: 'none', path: '', maxSize: 0, maxFile: 1 },
      init: wishes.init ?? false,
      user: wishes.user ?? '',
    };
  }

  /** Starts a container with all its streams attached. */
  async start(args: readonly string[], wishes: Wishes = {}): Promise<Started> {
    const attached = attaching(wishes.stdin ?? false);
    const request = await this.request(args, wishes, { attach: [attached.request] });
    const process = await this.driver.run(request);
    return { id: request.id, process, ...attached.result(process) };
  }

  /** Starts a container and waits for its end. */
  async run(args: readonly string[], wishes: Wishes = {}): Promise<Ended> {
    const { id, ended } = await this.start(args, wishes);
    const result = await ended;
    await this.driver.forget(id);
    return result;
  }

  /** Runs a shell script in a container and gives what it printed. */
  async script(text: string, wishes: Wishes = {}): Promise<string> {
    const { stdout, stderr } = await this.run(['sh', '-c', text], wishes);
    return stdout + stderr;
  }

  async startExec(container: ContainerID, args: readonly string[], wishes: Wishes = {}): Promise<Omit<Started, 'id'>> {
    const attached = attaching(wishes.stdin ?? false);
    const { tty = false, stdin = false, consoleSize = null } = wishes;
    const process = await this.driver.exec({
      id: newExecID(),
      container,
      process: { ...BASE_SPEC.process, args, terminal: tty, ...wishes.process },
      user: wishes.user ?? '',
      stdio: { tty, openStdin: stdin, consoleSize, attach: [attached.request] },
    });
    return { process, ...attached.result(process) };
  }

  async exec(container: ContainerID, args: readonly string[], wishes: Wishes = {}): Promise<Ended> {
    const { ended } = await this.startExec(container, args, wishes);
    return ended;
  }

  /** Ends every container, forgets it, and tells what is left of them on the machine. */
  async clear(): Promise<void> {
    for (const id of this.#containers) {
      await endAll(this.driver, id);
      await this.driver.forget(id);
    }
    this.#containers.clear();
  }

  /** Everything that a container has left behind, when its monitor had time to end too. */
  async leftovers(): Promise<string[]> {
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const left = await this.#left();
      if (left.length === 0 || performance.now() > deadline) return left;
      await sleep(5);
    }
  }

  async #left(): Promise<string[]> {
    const folders = await Promise.all(
      ['c', 'e'].map(async (kind) => (await readdir(join(this.folder, 'x', kind))).map((name) => `${kind}/${name}`)),
    );
    const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .filter((line) => line.includes(this.folder));
    return [...folders.flat(), ...(await this.#cgroups()), ...mounts, ...(await processesWith(this.folder))];
  }

  async close(): Promise<void> {
    await this.clear();
    this.driver[Symbol.dispose]();
    for (const root of await cgroupRoots()) await rmdir(root + this.cgroupParent).catch(() => {});
    await rm(this.folder, { recursive: true });
  }

  async #cgroups(): Promise<string[]> {
    const found: string[] = [];
    for (const root of await cgroupRoots()) {
      const entries = await readdir(root + this.cgroupParent, { withFileTypes: true }).catch(() => []);
      found.push(...entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name)));
    }
    return found;
  }
}

function rootfsOperations(source: string, target: string): Operation[] {
  return [
    { op: 'clone_tree', owner: 'test', slot: SLOT.rootfs, path: source, flags: 0 },
    { op: 'attach', owner: 'test', slot: SLOT.rootfs, target },
  ];
}

export const capabilities = (add: string[], drop: string[] = []): Partial<OciSpec['process']> => {
  const all = capabilitiesFor(add, drop, false);
  return { capabilities: { bounding: all, effective: all, inheritable: [], permitted: all, ambient: [] } };
};

function attaching(stdin: boolean) {
  let connected: { readonly attachment: Attachment; readonly output: Output } | null = null;
  const request = {
    stdin,
    stdout: true,
    stderr: true,
    connected: (attachment: Attachment) => {
      connected = { attachment, output: new Output(attachment) };
    },
  };
  const result = (process: Process) => {
    if (connected === null) throw new Error('nobody connected');
    const { attachment, output } = connected;
    const ended = process.exited.then(async (exit) => {
      await output.closed;
      return { ...exit, stdout: output.stdout, stderr: output.stderr };
    });
    return { attachment, output, ended };
  };
  return { request, result };
}

async function endAll(driver: Driver, id: ContainerID): Promise<void> {
  await driver.freeze(id, false).catch(() => {});
  const pids = await driver.pids(id).catch(() => []);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** A small system: busybox, some users, files that are no programs. */
export async function makeRootfs(root: string): Promise<void> {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root', 'home/bob']) {
    await mkdir(join(root, name), { recursive: true });
  }
  await copyFile(BUSYBOX, join(root, 'bin/busybox'));
  for (const name of APPLETS.split(' ')) await symlink('busybox', join(root, 'bin', name));
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n');
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nbob:x:1001:\naudio:x:29:bob\nvideo:x:44:\n');
  await writeFile(join(root, 'etc/plain'), 'no program\n');
  await writeFile(join(root, 'bin/orphan'), '#!/no/such/interpreter\n');
  await writeFile(join(root, 'bin/garbage'), 'garbage\n');
  await chmod(join(root, 'bin/orphan'), 0o755);
  await chmod(join(root, 'bin/garbage'), 0o755);
  await chmod(join(root, 'tmp'), 0o1777);
}

async function cgroupRoots(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

async function processesWith(word: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(
    pids.map(async (pid) => {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return words.includes(word) ? [`${pid} ${words.replaceAll('\0', ' ')}`] : [];
    }),
  );
  return lines.flat();
}
