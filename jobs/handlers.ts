/** Every job's handler, given what it asks for: the one file of this folder that imports them all. */

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
import type { Daemon } from './daemon.ts';
import { history } from './images/history.ts';
import { imageDelete } from './images/image-delete.ts';
import { imageInspect } from './images/image-inspect.ts';
import { images } from './images/images.ts';
import { importImage } from './images/import.ts';
import { load } from './images/load.ts';
import { tag } from './images/tag.ts';
import type { Handlers } from './install.ts';
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

/** What jobs of the daemon itself ask for, beside the stores and drivers. */
export interface Surroundings {
  readonly api: Api;
  /** Tells the service manager (sd_notify(3)). */
  readonly notify: (state: string) => void;
  readonly build: Build;
  readonly info: InfoSources;
}

export function handlers(daemon: Daemon, around: Surroundings): Handlers {
  return {
    serve_api: serveApi(around.api),
    acceptconnections: acceptConnections(around.api, around.notify),
    init_networkdriver: initNetworkDriver(daemon),

    ping: ping(),
    version: version(daemon, around.build),
    info: info(daemon, around.info),
    events: events(daemon),

    images: images(daemon),
    image_inspect: imageInspect(daemon),
    history: history(daemon),
    tag: tag(daemon),
    image_delete: imageDelete(daemon),
    load: load(daemon),
    import: importImage(daemon),

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
    explain: explain(daemon),
    top: top(daemon),
    logs: logs(daemon),
    attach: attach(daemon),
    resize: resize(daemon),
    exec_create: execCreate(daemon),
    exec_start: execStart(daemon),
    exec_inspect: execInspect(daemon),
    exec_resize: execResize(daemon),

    networks: networks(daemon),
    network_inspect: networkInspect(daemon),
    volumes: volumes(daemon),
    volume_inspect: volumeInspect(daemon),
  };
}
