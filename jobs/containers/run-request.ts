/** What the exec driver is to run for a container. It takes a place on its network, and makes nothing else: `explain` shows the same. */
import { join } from 'node:path';
import { SystemFailure } from '../../api/errors.ts';
import { ROOTFS_SLOT, type RunRequest, type StdioPlan } from '../../drivers/exec/driver.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';
import type { NetworkPlan } from '../../drivers/network/driver.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';
import type { ConsoleSize, TakenAttachments } from './attachments.ts';
import { logOf } from './draft.ts';
import { devicesOf } from './host-devices.ts';
import { joinsOf } from './joins.ts';
import { networkFilePaths } from './network-files.ts';
import { networkModeOf } from './network-mode.ts';
import { specFor } from './spec.ts';

/** An empty file by which programs see that they run in a container: written once, before the container's first run. */
const MARK: Operation = {
  op: 'write_beneath',
  owner: 'start',
  root: ROOTFS_SLOT,
  path: '/.dockerenv',
  data: '',
  mode: 0o755,
  flags: 0,
};

export type RunRequestDeps = Pick<Daemon, 'containers' | 'host' | 'layers' | 'logs' | 'networks'>;

export async function runRequestFor(
  container: ContainerRecord,
  { requests, consoleSize }: Pick<TakenAttachments, 'requests' | 'consoleSize'>,
  deps: RunRequestDeps,
): Promise<RunRequest> {
  const { containers, host, layers } = deps;
  const { ID, Config, HostConfig } = container;
  // The first 32 digits tell a container's monitor from others: ARCHITECTURE.md, 5.1.
  const rootfs = join(host.execRoot, 'c', ID.slice(0, 32), 'rootfs');
  const { joins, network: shared } = joinsOf(container, deps);
  const [devices, operations, network] = await Promise.all([
    devicesOf(HostConfig),
    layers.rootfs(container.Layer, rootfs, ROOTFS_SLOT),
    networkPlanFor(container, deps),
  ]);
  const folder = containers.folder(ID);
  const files = networkFilePaths(container, folder, shared === null ? null : containers.folder(shared));
  return {
    id: ID,
    spec: specFor(container, { host, rootfs, joins, files, devices }),
    rootfs: container.State.status === 'created' ? [...operations, MARK] : operations,
    network,
    stdio: stdioFor(container, requests, consoleSize),
    log: logOf(HostConfig, folder, deps),
    init: HostConfig.Init ?? host.init,
    user: Config.User,
  };
}

export async function leaveNetwork(
  { ID, HostConfig }: ContainerRecord,
  { networks }: Pick<Daemon, 'networks'>,
): Promise<void> {
  const mode = networkModeOf(HostConfig);
  if (mode.kind === 'driver') await networks.get(mode.name)?.leave(ID);
}

async function networkPlanFor({ ID, HostConfig }: ContainerRecord, { networks }: RunRequestDeps): Promise<NetworkPlan> {
  const mode = networkModeOf(HostConfig);
  if (mode.kind === 'container') return { newNamespace: false, operations: [], endpoints: {} };
  const driver = networks.get(mode.name);
  if (driver === undefined) throw new SystemFailure(`network driver ${mode.name} is not set up`);
  return driver.join(ID);
}

function stdioFor(
  { Config, HostConfig }: ContainerRecord,
  attach: StdioPlan['attach'],
  asked: ConsoleSize | null,
): StdioPlan {
  const [height = 0, width = 0] = HostConfig.ConsoleSize;
  const configured: ConsoleSize | null = height > 0 && width > 0 ? [height, width] : null;
  return {
    tty: Config.Tty,
    openStdin: Config.OpenStdin,
    consoleSize: Config.Tty ? (asked ?? configured) : null,
    attach,
  };
}
