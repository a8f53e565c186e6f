/**
 * What a container will be, before anything is made: the caller's wishes and the image, settled and checked. `create`
 * makes it, `explain` only tells it.
 */
import { posix } from 'node:path';
import type { ContainerConfig, CreateBody, HostConfig } from '../../api/container.ts';
import { InvalidParameter, NoSuchContainer, NotFound } from '../../api/errors.ts';
import { type ChainID, type ContainerID, topChain } from '../../api/ids.ts';
import type { Image } from '../../api/image.ts';
import { architectureOf, isPlatform, parsePlatform, platformText } from '../../api/platform.ts';
import type { LogWriting } from '../../drivers/log/driver.ts';
import type { MountPoint } from '../../state/container-record.ts';
import { findImage } from '../../state/find-image.ts';
import type { Daemon } from '../daemon.ts';
import type { Host } from '../host.ts';
import { checkBindSources } from './bind-sources.ts';
import { commandOf, settleConfig } from './config.ts';
import { checkHostConfig, settleHostConfig } from './host-config.ts';
import type { MountRequest } from './mount-request.ts';
import { mountRequestsOf, parseVolumesFrom } from './mount-requests.ts';
import { networkModeOf } from './network-mode.ts';

export type DraftDeps = Pick<Daemon, 'containers' | 'images' | 'references' | 'logs' | 'host'>;

export interface Draft {
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly command: { readonly Path: string; readonly Args: string[] };
  readonly image: Image;
  /** The image's topmost layer, null for an empty image. */
  readonly chain: ChainID | null;
  readonly mounts: readonly MountRequest[];
  readonly log: LogWriting;
  readonly warnings: readonly string[];
}

/** Fails with NoSuchImage, NotFound (platform), InvalidParameter or NotImplemented. */
export async function draftOf(body: CreateBody, id: ContainerID, deps: DraftDeps): Promise<Draft> {
  const { containers, host: machine } = deps;
  const { HostConfig: wishes, NetworkingConfig: _, Platform, ...asked } = body;
  if (body.Image === '') throw new InvalidParameter('No command specified');
  const image = findImage(deps, body.Image);
  const platformWarnings = checkPlatform(image, body, machine);
  const settled = settleConfig(asked, image.config.config);
  const command = commandOf(settled);
  const warnings = [...platformWarnings, ...checkHostConfig(body, machine), ...healthWarnings(settled)];
  const host = withContainerIDs(settleHostConfig(wishes, machine), deps);
  const config = { ...settled, Hostname: hostnameFor(settled, host, id, deps) };
  const mounts = mountRequestsOf(config, host, mountsFrom(host, deps));
  await checkBindSources(host);
  return {
    config,
    host,
    command,
    image,
    chain: topChain(image.diffIDs),
    mounts,
    log: logOf(host, containers.folder(id), deps),
    warnings,
  };
}

/** Fails with NotFound for an image that is not for the platform asked for; warns of one that is not for this machine. */
function checkPlatform({ config }: Image, { Image: name, Platform }: CreateBody, { architecture }: Host): string[] {
  const { os, variant } = config;
  const has = { os, architecture: config.architecture, variant };
  const machine = { os: 'linux', architecture: architectureOf(architecture), variant: '' };
  const wanted = Platform === '' ? machine : parsePlatform(Platform, architecture);
  if (isPlatform(has, wanted)) return [];
  if (Platform !== '') {
    throw new NotFound(
      `image with reference ${name} was found but does not match the specified platform: ` +
        `wanted ${platformText(wanted)}, actual: ${platformText(has)}`,
    );
  }
  return [
    `The requested image's platform (${platformText(has)}) does not match the detected host platform ` +
      `(${platformText(machine)}) and no specific platform was requested`,
  ];
}

/** The name that a container has for itself; in the network of the host or of another container it is theirs. */
function hostnameFor(
  { Hostname }: ContainerConfig,
  wishes: HostConfig,
  id: ContainerID,
  { containers, host }: DraftDeps,
): string {
  if (Hostname !== '') return Hostname;
  const mode = networkModeOf(wishes);
  if (mode.kind === 'container') return containers.get(mode.container).Config.Hostname;
  return wishes.UTSMode === 'host' || mode.name === 'host' ? host.hostname : id.slice(0, 12);
}

/** How the container's output is to be kept. Fails with InvalidParameter. */
export function logOf({ LogConfig }: HostConfig, folder: string, { logs }: Pick<Daemon, 'logs'>): LogWriting {
  const { Type: type } = LogConfig;
  const driver = logs.get(type);
  if (driver === undefined)
    throw new InvalidParameter(`error looking up logging plugin ${type}: plugin "${type}" not found`);
  return driver.writing(folder, LogConfig.Config);
}

/** `container:NAME` as `container:ID`, which a rename leaves alone. Not a 404: clients would pull the image then. */
function withContainerIDs(host: HostConfig, { containers }: DraftDeps): HostConfig {
  const named = (mode: string): string => {
    if (!mode.startsWith('container:')) return mode;
    const reference = mode.slice('container:'.length);
    const other = containers.find(reference);
    if (other === null) throw new InvalidParameter(new NoSuchContainer(reference).message);
    return `container:${other.ID}`;
  };
  return {
    ...host,
    NetworkMode: named(host.NetworkMode),
    PidMode: named(host.PidMode),
  };
}

/** What `--volumes-from` brings along. */
function mountsFrom({ VolumesFrom }: HostConfig, { containers }: DraftDeps): MountPoint[] {
  const found = new Map<string, MountPoint>();
  for (const text of VolumesFrom ?? []) {
    const { container, mode } = parseVolumesFrom(text);
    const other = containers.find(container);
    if (other === null) throw new InvalidParameter(new NoSuchContainer(container).message);
    for (const point of other.MountPoints) {
      if (point.Type === 'tmpfs') continue;
      found.set(posix.normalize(point.Destination), { ...point, RW: mode === 'ro' ? false : point.RW });
    }
  }
  return [...found.values()];
}

function healthWarnings({ Healthcheck }: ContainerConfig): string[] {
  const [kind = ''] = Healthcheck?.Test ?? [];
  if (kind === '' || kind === 'NONE') return [];
  return ['Health checks are not run yet: the container has no health status.'];
}
