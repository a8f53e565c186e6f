/** Introduces the jobs to the engine: contracts from `contracts.ts`, handlers from the files of this folder. */
import type { JobTable } from '../api/jobs.ts';
import type { Engine } from '../engine/engine.ts';
import { attach } from './containers/attach.ts';
import { create } from './containers/create.ts';
import { remove } from './containers/delete.ts';
import { execCreate } from './containers/exec-create.ts';
import { execInspect } from './containers/exec-inspect.ts';
import { execResize } from './containers/exec-resize.ts';
import { execStart } from './containers/exec-start.ts';
import { explain } from './containers/explain.ts';
import { containerInspect } from './containers/inspect.ts';
import { kill } from './containers/kill.ts';
import { containers } from './containers/list.ts';
import { logs } from './containers/logs.ts';
import { pause, unpause } from './containers/pause.ts';
import { rename } from './containers/rename.ts';
import { resize } from './containers/resize.ts';
import { restart } from './containers/restart.ts';
import { start } from './containers/start.ts';
import { stop } from './containers/stop.ts';
import { top } from './containers/top.ts';
import { wait } from './containers/wait.ts';
import { contracts } from './contracts.ts';
import type { Daemon, JobHandler } from './daemon.ts';
import { history } from './images/history.ts';
import { imageDelete } from './images/image-delete.ts';
import { imageInspect } from './images/image-inspect.ts';
import { images } from './images/images.ts';
import { importImage } from './images/import.ts';
import { load } from './images/load.ts';
import { tag } from './images/tag.ts';
import { networkInspect, networks } from './networks.ts';
import { acceptConnections } from './system/accept-connections.ts';
import type { Build } from './system/build.ts';
import { events } from './system/events.ts';
import { type InfoSources, info } from './system/info.ts';
import { initNetworkDriver } from './system/init-network-driver.ts';
import { ping } from './system/ping.ts';
import { type Api, serveApi } from './system/serve-api.ts';
import { version } from './system/version.ts';
import { volumeInspect, volumes } from './volumes.ts';

/** What jobs need beside the stores and drivers. */
export interface Surroundings {
  readonly api: Api;
  /** Tells the service manager, such as `READY=1`. */
  readonly notify: (state: string) => Promise<void>;
  readonly build: Build;
  readonly sources: InfoSources;
}

type Name = Exclude<keyof JobTable, 'commands'>;
type Handlers = { readonly [Each in Name]: JobHandler<Each> };

/** Registers every job of the table. Fails with Conflict when one is registered already. */
export function installJobs(engine: Engine<JobTable>, daemon: Daemon, surroundings: Surroundings): void {
  const handlers = handlersOf(daemon, surroundings);
  for (const name of Object.keys(contracts)) {
    if (isName(name)) installJob(engine, name, handlers);
  }
}

/** All but `commands`, which the engine has itself: one left out does not compile. */
function handlersOf(daemon: Daemon, { api, notify, build, sources }: Surroundings): Handlers {
  return {
    serve_api: serveApi(api),
    acceptconnections: acceptConnections(api, notify),
    init_networkdriver: initNetworkDriver(daemon),

    ping: ping(),
    version: version(daemon, build),
    info: info(daemon, sources),
    events: events(daemon),

    images: images(daemon),
    image_inspect: imageInspect(daemon),
    history: history(daemon),
    tag: tag(daemon),
    image_delete: imageDelete(daemon),
    load: load(daemon),
    import: importImage(daemon),

    networks: networks(daemon),
    network_inspect: networkInspect(daemon),
    volumes: volumes(daemon),
    volume_inspect: volumeInspect(daemon),

    create: create(daemon),
    start: start(daemon),
    stop: stop(daemon),
    restart: restart(daemon),
    kill: kill(daemon),
    pause: pause(daemon),
    unpause: unpause(daemon),
    rename: rename(daemon),
    wait: wait(daemon),
    delete: remove(daemon),
    containers: containers(daemon),
    container_inspect: containerInspect(daemon),
    top: top(daemon),
    logs: logs(daemon),
    attach: attach(daemon),
    resize: resize(daemon),
    exec_create: execCreate(daemon),
    exec_start: execStart(daemon),
    exec_inspect: execInspect(daemon),
    exec_resize: execResize(daemon),
    explain: explain(daemon),
  };
}

function installJob<Each extends Name>(engine: Engine<JobTable>, name: Each, handlers: Handlers): void {
  engine.register(name, { ...contracts[name], handler: handlers[name] });
}

function isName(name: string): name is Name {
  return Object.hasOwn(contracts, name);
}
