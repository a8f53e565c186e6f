/**
 * The composition root: the one place where an implementation meets its interface.
 *
 *   configuration → lock on the data root → host, drivers, stores → jobs → plugins
 *   → recovery: what monitors still hold, what ended meanwhile, what a crash left
 *   → serve_api → acceptconnections
 */
import { constants } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import createDebug from 'debug';
import { Conflict, SystemFailure } from './api/errors.ts';
import type { JobTable } from './api/jobs.ts';
import { DEFAULT_SOCKET } from './api/system.ts';
import type { Config } from './config.ts';
import { NativeExecDriver } from './drivers/exec/native.ts';
import { type CgroupLayout, isPureV2, readCgroupLayout } from './drivers/libcontainer/cgroup-layout.ts';
import { GantryInit } from './drivers/libcontainer/gantry-init.ts';
import { close, closing, open, openOnPool, tryLock } from './drivers/libcontainer/kernel/descriptors.ts';
import { setDumpable } from './drivers/libcontainer/kernel/process.ts';
import { listenUnix, sendDatagram } from './drivers/libcontainer/kernel/sockets.ts';
import { removeTrees } from './drivers/libcontainer/trees.ts';
import { jsonFile } from './drivers/log/json-file.ts';
import { local } from './drivers/log/local.ts';
import { none } from './drivers/log/none.ts';
import { HostNetwork, NoneNetwork } from './drivers/network/host.ts';
import { selectGraphDriver } from './drivers/select.ts';
import { Engine } from './engine/engine.ts';
import { loadPlugins, pluginsIn } from './engine/plugins.ts';
import { traced } from './engine/traced.ts';
import { Attachments } from './jobs/containers/attachments.ts';
import { Supervisor } from './jobs/containers/supervise.ts';
import type { Daemon } from './jobs/daemon.ts';
import { handlers } from './jobs/handlers.ts';
import { detectHost, type Host, readOsRelease } from './jobs/host.ts';
import { installJobs } from './jobs/install.ts';
import { recover } from './jobs/recover.ts';
import type { Build } from './jobs/system/build.ts';
import type { InfoSources } from './jobs/system/info.ts';
import { readAbilities } from './jobs/system/machine.ts';
import { parseAddress } from './server/address.ts';
import { apiRoutes } from './server/routes.ts';
import { ApiService } from './server/service.ts';
import { loadTls } from './server/tls.ts';
import { Containers } from './state/containers.ts';
import { DepartedContainers } from './state/departed.ts';
import { Events } from './state/events.ts';
import { Execs } from './state/execs.ts';
import { Images } from './state/images.ts';
import { installationID } from './state/installation.ts';
import { Layers } from './state/layers.ts';
import { References } from './state/references.ts';
import { Volumes } from './state/volumes.ts';
import { object, text } from './std/decode.ts';
import { otherProcessOf, writePidFile } from './std/pid-file.ts';
import { Undo } from './std/undo.ts';

const debug = createDebug('gantry:boot');
const warn = createDebug('gantry:warn:boot');
const MIN_DESCRIPTORS = 65_536;

/**
 * Starts everything and resolves when requests are let in. Fails with an EngineError that says what stands in the way,
 * and nothing is left running then. `engine.shutdown()` ends it all but the containers: they go on.
 */
export async function boot(config: Config): Promise<Engine<JobTable>> {
  await using undo = new Undo();
  setDumpable(false);
  await warnOfFewDescriptors();
  await claim(config, undo);
  const cgroups = await readCgroupLayout();
  const host = await detectHost(config, kindOf(cgroups), await installationID(config['data-root']));
  const daemon = await openDaemon(config, host, undo);

  const engine = new Engine<JobTable>();
  const tracing = engine.trace.start();
  undo.defer('stop tracing', () => tracing[Symbol.dispose]());
  const options = { tls: await loadTls(config), group: config.group, bindUnix: listenUnix };
  const api = new ApiService(() => apiRoutes(engine), options);
  const info = await infoSources(config, cgroups);
  installJobs(engine, handlers(daemon, { api, notify, build: await readBuild(), info }));
  await loadPlugins(engine, [...(await pluginsIn(join(host.dataRoot, 'plugins'))), ...config.plugins]);

  await recover(daemon);
  await engine.run('init_networkdriver', [], {});
  await using running = new Undo();
  running.defer('end the engine', () => engine.shutdown({ graceMs: 0 }));
  await serve(engine, addressesOf(config));
  await engine.run('acceptconnections', [], {});
  debug('ready');

  running.keep();
  const steps = undo.keep();
  engine.onShutdown('let go of folders and files', () => steps[Symbol.asyncDispose]());
  return engine;
}

/** Node has raised the soft limit to the hard one. A container takes a few descriptors of the daemon, a client one. */
async function warnOfFewDescriptors(): Promise<void> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const soft = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? MIN_DESCRIPTORS);
  if (soft < MIN_DESCRIPTORS) warn('at most %d files may be open: raise the limit (ulimit -n, LimitNOFILE=)', soft);
}

/** One daemon a data root, and one a pid file. Makes the folders. */
async function claim(config: Config, undo: Undo): Promise<void> {
  const other = await otherProcessOf(config.pidfile);
  if (other !== null) {
    throw new Conflict(
      `failed to start daemon, ensure gantryd is not running or delete ${config.pidfile}: ` +
        `process with PID ${other} is still running`,
    );
  }
  await mkdir(config['data-root'], { recursive: true, mode: 0o711 });
  const lock = open(join(config['data-root'], 'lock'), constants.O_RDWR | constants.O_CREAT);
  undo.defer('unlock the data root', () => close(lock));
  if (!tryLock(lock)) {
    throw new Conflict(
      `failed to start daemon: another gantryd uses the data root ${config['data-root']}: stop it, or choose another --data-root`,
    );
  }
  undo.use('remove the pid file', await writePidFile(config.pidfile));
  const uploads = join(config['data-root'], 'tmp');
  await rm(uploads, { recursive: true, force: true });
  await mkdir(uploads, { mode: 0o700 });
}

/** Stores and drivers, with what is on disk in them. */
async function openDaemon(config: Config, host: Host, undo: Undo): Promise<Daemon> {
  const at = (...names: string[]) => join(host.dataRoot, ...names);
  const init = await GantryInit.load();
  undo.defer('let go of gantry-init', () => init[Symbol.dispose]());
  const exec = await NativeExecDriver.open(host.execRoot);
  undo.defer('let go of the monitors', () => exec[Symbol.dispose]());
  const [graph, containers, images, references, volumes] = await Promise.all([
    selectGraphDriver(host.dataRoot, config['storage-driver'], init).then((it) => traced(`graph/${it.name}`, it)),
    Containers.open(at('containers')),
    Images.open(at('image')),
    References.open(at('image', 'repositories.json')),
    Volumes.open(at('volumes'), (parent, name) => removeBelow(init, parent, name)),
  ]);
  const stores = { containers, images, references, volumes, execs: new Execs(), events: new Events() };
  const parts = {
    ...stores,
    layers: await Layers.open(at('image', 'layers'), graph),
    exec,
    networks: new Map([new NoneNetwork(), new HostNetwork()].map((driver) => [driver.name, driver])),
    logs: new Map([jsonFile, local, none].map((driver) => [driver.name, driver])),
    attachments: new Attachments(),
    departed: new DepartedContainers(),
    host,
  };
  const supervisor = new Supervisor(parts);
  undo.defer('stop supervising', () => supervisor.stop());
  return { ...parts, supervisor };
}

async function removeBelow(init: GantryInit, parent: string, name: string): Promise<void> {
  const folder = await openOnPool(parent, constants.O_RDONLY | constants.O_DIRECTORY);
  using _open = closing(folder);
  await removeTrees(init, folder, [name]);
}

/** Resolves when every address is open. What ends serving before its time ends the daemon: nobody could reach it. */
async function serve(engine: Engine<JobTable>, addresses: readonly string[]): Promise<void> {
  const job = engine.job('serve_api', [...addresses], {});
  const served = job.run();
  served.catch((error: unknown) => debug('serve_api: %O', error));
  await job.accepted;
}

function addressesOf(config: Config): readonly string[] {
  return config.hosts.length > 0 ? config.hosts : [`unix://${DEFAULT_SOCKET}`];
}

function kindOf(layout: CgroupLayout): Host['cgroup'] {
  if (isPureV2(layout)) return 'v2';
  return layout.unified === null ? 'v1' : 'hybrid';
}

async function infoSources(config: Config, layout: CgroupLayout): Promise<InfoSources> {
  const v1 = layout.v1.flatMap(({ controllers, path }) => controllers.map((name) => [name, path] as const));
  const { unified, v2Controllers } = layout;
  const mounts = { v1: new Map(v1), unified: unified === null ? null : { path: unified, controllers: v2Controllers } };
  return {
    abilities: await readAbilities(mounts),
    osVersion: (await readOsRelease()).get('VERSION_ID') ?? '',
    openAddresses: config.tls || config.tlsverify ? [] : openAddresses(addressesOf(config)),
  };
}

function openAddresses(addresses: readonly string[]): string[] {
  return addresses.flatMap((text) => {
    const address = parseAddress(text, false);
    return address.kind === 'tcp' ? [`http://${address.host}:${address.port}`] : [];
  });
}

/** To systemd or whoever started us and wants to know (sd_notify(3)). Nobody there is no error. */
function notify(state: string): void {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  try {
    sendDatagram(path, Buffer.from(state));
  } catch (error) {
    debug('%s not told to %s: %O', state, path, error);
  }
}

/** The package.json above this file, or above `dist`. */
async function readBuild(): Promise<Build> {
  const here = fileURLToPath(import.meta.url);
  const { mtime } = await stat(here);
  for (const place of ['package.json', '../package.json']) {
    const json = await readFile(new URL(place, import.meta.url), 'utf8').catch(() => null);
    if (json === null) continue;
    return { version: object({ version: text })(JSON.parse(json), place).version, builtAt: mtime.toISOString() };
  }
  throw new SystemFailure(`there is no package.json above ${here}`);
}
