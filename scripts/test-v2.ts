/**
 * npm run test:v2 — the specs that see cgroups, overlay and mounts, on a machine that has cgroup v2 alone: Debian's kernel
 * in qemu, without KVM, with this checkout on its disk. The last line is `N passed, N failed, N skipped`.
 *
 * From Debian come, and are asked for when they are missing: qemu-system-x86, e2fsprogs, busybox-static, and the image of
 * linux-image-cloud-amd64, which is unpacked beside the build and never installed. Where they cannot be had, that is said
 * and counts as skipped. Words behind `npm run test:v2 --` go to mocha in the place of the specs named here.
 */
import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { integer, object } from '../std/decode.ts';

const SPECS = ['graph/overlay2', 'exec/native', 'libcontainer/run-program', 'api/daemon', 'v2/*'];
/** Starts that have nothing to do with cgroups, and take half a minute each where every instruction is emulated. */
const NOT_THERE = ['--grep', 'the program gantryd|hands over|second daemon', '--invert'];
/** Loaded before the disk is there, each after those that it says it depends on. */
const MODULES = ['virtio_pci', 'virtio_blk', 'overlay', 'veth'];
/** Of no use without a compiler, and most of what is in node_modules. */
const LEFT_OUT = ['.git', 'typescript', '@biomejs', '@types', '.cache'];
const KERNELS = 'dist/v2';
/** qemu emulates every instruction, so this is long for what runs there. */
const DEADLINE_MS = Number(process.env['GANTRY_V2_MINUTES'] ?? 10) * 60_000;
const MEMORY_MIB = 2048;
const DISK_MIB = 768;

const counted = object({ passed: integer, failed: integer, skipped: integer });

class CannotBeHad extends Error {}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
process.exitCode = await main();

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'g-v2-'));
  try {
    await installPrograms();
    const { image, modules } = await kernel();
    await makeInitrd(folder, modules);
    await makeDisk(folder);
    await boot(folder, image);
    const counts = await readCounts(join(folder, 'counts'));
    tell(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    return counts.failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CannotBeHad)) throw error;
    tell(`  skipped: a machine with cgroup v2 alone (${error.message})\n0 passed, 0 failed, 1 skipped`);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run that came to no end leaves no counts, and has failed. */
async function readCounts(path: string) {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim() === '' ? { passed: 0, failed: 1, skipped: 0 } : counted(JSON.parse(text), 'counts');
}

// ——— what comes from Debian

async function installPrograms(): Promise<void> {
  if (process.arch !== 'x64') throw new CannotBeHad(`${process.arch} is not x64`);
  const needs = [
    ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
    ['/usr/sbin/mke2fs', 'e2fsprogs'],
    ['/bin/busybox', 'busybox-static'],
  ] as const;
  const missing = needs.filter(([path]) => !existsSync(path)).map(([, name]) => name);
  if (missing.length === 0) return;
  await apt(['update', '-qq'], '.');
  await apt(['install', '-y', '-qq', '--no-install-recommends', ...missing], '.');
}

async function apt(words: readonly string[], cwd: string): Promise<void> {
  tell(`apt-get ${words.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const { failed, stderr } = await execa('apt-get', words, { cwd, env, reject: false });
  if (failed) throw new CannotBeHad(`apt-get ${words.join(' ')}: ${stderr.trim().split('\n').at(-1)}`);
}

interface Kernel {
  readonly image: string;
  /** In the order they are loaded. */
  readonly modules: readonly string[];
}

async function kernel(): Promise<Kernel> {
  const unpacked = join(KERNELS, 'unpacked');
  if (!existsSync(unpacked)) await fetchKernel(unpacked);
  const files = await readdir(unpacked, { recursive: true });
  const find = (what: (name: string) => boolean, name: string): string => {
    const found = files.find((path) => what(basename(path)));
    if (found === undefined) throw new CannotBeHad(`no ${name} in Debian's kernel`);
    return join(unpacked, found);
  };
  const modules = new Set<string>();
  const add = async (module: string): Promise<void> => {
    const path = find((name) => name === `${module}.ko`, module);
    for (const below of await dependenciesOf(path)) await add(below);
    modules.add(path);
  };
  for (const module of MODULES) await add(module);
  return { image: find((name) => name.startsWith('vmlinuz-'), 'vmlinuz'), modules: [...modules] };
}

/** As a module says it in its section .modinfo: `depends=virtio,virtio_ring`. From kernel to kernel it is not the same. */
async function dependenciesOf(path: string): Promise<string[]> {
  const [, names = ''] = /\0depends=([^\0]*)\0/.exec(await readFile(path, 'latin1')) ?? [];
  return names.split(',').filter(Boolean);
}

async function fetchKernel(unpacked: string): Promise<void> {
  await mkdir(KERNELS, { recursive: true });
  await apt(['update', '-qq'], '.');
  const { stdout } = await execa('apt-cache', ['depends', 'linux-image-cloud-amd64'], { reject: false });
  const name = /Depends: (linux-image-\S+-cloud-amd64)/.exec(stdout ?? '')?.[1];
  if (name === undefined) throw new CannotBeHad('linux-image-cloud-amd64 is not known to apt-get');
  await apt(['download', '-qq', name], KERNELS);
  const archive = (await readdir(KERNELS)).find((file) => file.startsWith(`${name}_`));
  if (archive === undefined) throw new CannotBeHad(`apt-get has downloaded no ${name}`);
  await execa('dpkg', ['-x', join(KERNELS, archive), unpacked]);
  await rm(join(KERNELS, archive));
}

// ——— the machine

async function makeInitrd(folder: string, modules: readonly string[]): Promise<void> {
  const tree = join(folder, 'initrd');
  for (const name of ['bin', 'dev', 'disk', 'modules']) await mkdir(join(tree, name), { recursive: true });
  await cp('/bin/busybox', join(tree, 'bin/busybox'));
  await cp('test/v2/initrd.sh', join(tree, 'init'));
  for (const module of modules) {
    await cp(module, join(tree, 'modules', basename(module)));
    await appendFile(join(tree, 'modules/order'), `${basename(module)}\n`);
  }
  const files = (await readdir(tree, { recursive: true })).join('\n');
  const cpio = ['cpio', '-o', '-H', 'newc', '-F', join(folder, 'initrd.cpio')];
  await execa('/bin/busybox', cpio, { cwd: tree, input: `${files}\n` });
}

/** Node, its libraries, busybox, and the checkout with what was built. */
async function makeDisk(folder: string): Promise<void> {
  const tree = join(folder, 'disk');
  for (const name of ['bin', 'sbin', 'dev', 'proc', 'sys', 'run', 'root', 'etc', 'tmp', 'usr/bin']) {
    await mkdir(join(tree, name), { recursive: true });
  }
  await chmod(join(tree, 'tmp'), 0o1777);
  await writeFile(join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\n');
  await cp('/bin/busybox', join(tree, 'bin/busybox'));
  await copyProgram(tree, await realpath(process.execPath));
  const isWanted = (path: string) => !LEFT_OUT.includes(basename(path)) && path !== KERNELS && path !== 'node_modules';
  await cp('.', join(tree, 'gantry'), { recursive: true, filter: isWanted });
  const modules = join(tree, 'gantry/node_modules');
  await cp(await realpath('node_modules'), modules, { recursive: true, filter: isWanted });
  await writeFile(join(tree, 'gantry/test/v2/words'), wordsForMocha().join('\n'));
  const disk = join(folder, 'disk.img');
  await execa('/usr/sbin/mke2fs', ['-q', '-t', 'ext4', '-d', tree, disk, `${DISK_MIB}M`]);
  await rm(tree, { recursive: true });
}

/** A program and the libraries it is linked with, all where the loader looks for them. */
async function copyProgram(tree: string, path: string): Promise<void> {
  await cp(path, join(tree, 'usr/bin/node'));
  const { stdout } = await execa('ldd', [path]);
  for (const [library] of stdout.matchAll(/\/\S+/g)) {
    await mkdir(join(tree, dirname(library)), { recursive: true });
    await cp(await realpath(library), join(tree, library));
  }
}

function wordsForMocha(): string[] {
  const words = process.argv.slice(2);
  const specs = SPECS.map((name) => `dist/test/${name}.spec.js`);
  return words.some((word) => word.endsWith('.spec.js'))
    ? words
    : [...(words.length > 0 ? words : NOT_THERE), ...specs];
}

async function boot(folder: string, image: string): Promise<void> {
  const counts = join(folder, 'counts');
  const words = [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', String(MEMORY_MIB)],
    ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio', '-serial', `file:${counts}`],
    ...['-kernel', image, '-initrd', join(folder, 'initrd.cpio')],
    ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off nokaslr cgroup_no_v1=all'],
    ...['-drive', `file=${join(folder, 'disk.img')},format=raw,if=virtio,cache=unsafe`],
  ];
  const machine = execa('nice', ['/usr/bin/qemu-system-x86_64', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: DEADLINE_MS,
    cancelSignal: interrupted.signal,
    reject: false,
  });
  machine.stdout.on('data', (bytes: Buffer) =>
    process.stdout.write(bytes.toString('latin1').replaceAll('\r', ''), 'latin1'),
  );
  const { timedOut } = await machine;
  if (timedOut) tell(`not over after ${DEADLINE_MS / 60_000} minutes`);
}

function tell(words: string): void {
  process.stdout.write(`${words}\n`);
}
