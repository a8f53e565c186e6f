/**
 * set-up — makes a fresh Debian or Ubuntu with nothing but Node and npm ready, and says aloud what it installs:
 *
 *   1. Debian packages that are missing (apt-get)     3. the build: TypeScript, then the C parts
 *   2. npm packages, as package-lock.json has them
 *
 * Plain JavaScript, since it comes before the build. What is there already costs a look. `--run` (the default) is what
 * running the daemon needs, `--test` also what tests use; a package of the tests that cannot be had is told, and the
 * tests that want it skip by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MIN_NODE = [20, 19];

/** A program on the PATH or a file, and the Debian packages that have it: the first one that can be had is taken. */
const NEEDS = {
  run: [
    ['gcc', 'gcc'],
    ['make', 'make'],
    ['/usr/include/stdio.h', 'libc6-dev'],
    ['/usr/include/linux/openat2.h', 'linux-libc-dev'],
    ['musl-gcc', 'musl-tools'],
    ['/bin/busybox', 'busybox-static'],
  ],
  test: [
    ['docker', 'docker-cli', 'docker.io'],
    ['openssl', 'openssl'],
    ['ps', 'procps'],
    ['clang', 'clang'],
    ['/usr/share/doc/libclang-rt-dev', 'libclang-rt-dev'],
    ['python3', 'python3-minimal'],
    ['/usr/lib/python3/dist-packages/docker/__init__.py', 'python3-docker'],
  ],
};
const POLICY = '/usr/sbin/policy-rc.d';

/** `purpose`: 'run' or 'test'. Ends the process, with words, when something that must be there cannot be had. */
export function setUp(purpose) {
  checkNode();
  installPackages(NEEDS.run, true);
  if (purpose === 'test') installPackages(NEEDS.test, false);
  installNodeModules();
  build();
}

function say(words) {
  process.stderr.write(`set-up: ${words}\n`);
}

function giveUp(words) {
  say(words);
  process.exit(1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isOld = major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1]);
  if (isOld) giveUp(`Node ${process.versions.node} is too old: ${MIN_NODE.join('.')} or newer is needed`);
}

function isThere(need) {
  if (need.startsWith('/')) return existsSync(need);
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return folders.some((folder) => existsSync(join(folder, need)));
}

function installPackages(needs, areMusts) {
  const missing = needs.filter(([need]) => !isThere(need));
  if (missing.length === 0) return;
  const names = missing.map(([need]) => need).join(', ');
  if (!isThere('apt-get') || process.getuid?.() !== 0) {
    const packages = missing.map(([, ...choices]) => choices.at(-1)).join(' ');
    const words = `${names}: not found, and only root on Debian can have it installed: apt-get install ${packages}`;
    return areMusts ? giveUp(words) : say(words);
  }
  say(`${names}: not found, asking apt-get`);
  run('apt-get', ['update', '-qq']);
  const refused = withoutServices(() => missing.filter(([, ...choices]) => !choices.some(aptInstall)));
  if (refused.length === 0) return;
  const words = `apt-get could not install ${refused.map(([need]) => need).join(', ')}`;
  if (areMusts) giveUp(words);
  say(`${words}: tests that need it are skipped`);
}

function aptInstall(name) {
  say(`apt-get install ${name}`);
  const options = ['install', '-y', '-qq', '--no-install-recommends', name];
  return run('apt-get', options, { env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

/** A package that brings a daemon is not to start it here (invoke-rc.d(8)). */
function withoutServices(work) {
  if (existsSync(POLICY)) return work();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return work();
  } finally {
    rmSync(POLICY, { force: true });
  }
}

function installNodeModules() {
  if (areModulesFresh()) return;
  say('npm ci');
  if (!run('npm', ['ci', '--no-fund', '--no-audit'])) giveUp('npm ci has failed');
}

/** npm notes what it has installed. Packages for other platforms are left out there. */
function areModulesFresh() {
  const folder = join(ROOT, 'node_modules');
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const installed = readJSON(join(folder, '.package-lock.json'))?.packages ?? {};
  const wanted = readJSON(join(ROOT, 'package-lock.json'))?.packages ?? {};
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && !installed[path]),
  );
}

function readJSON(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

function build() {
  removeStale();
  if (!run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', ROOT])) giveUp('the build has failed');
  if (!run('make', ['-s', '-C', join(ROOT, 'drivers/libcontainer/native')]))
    giveUp('the build of the C parts has failed');
}

/** What was built of a file that is gone or renamed would still be run, and tested. */
function removeStale() {
  const folder = join(ROOT, 'dist');
  if (!existsSync(folder)) return;
  for (const built of readdirSync(folder, { recursive: true })) {
    if (!built.endsWith('.js') || existsSync(join(ROOT, built.replace(/js$/, 'ts')))) continue;
    rmSync(join(folder, built));
  }
}

/** True when it ended well. What it says goes to stderr: stdout belongs to what is being set up. */
function run(command, words, { env = {} } = {}) {
  const { status, error } = spawnSync(command, words, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  });
  if (error !== undefined) say(`${command}: ${error.message}`);
  return status === 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  setUp(process.argv.includes('--test') ? 'test' : 'run');
}
