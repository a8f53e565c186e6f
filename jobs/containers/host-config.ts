/**
 * (pure) How this host is to run a container: the caller's wishes, checked, with defaults where nothing is said, so that
 * inspect tells what is really done. Words are dockerd's (daemon/container.go, `verifyHostConfig`).
 */
import { isIP } from 'node:net';
import type { CreateBody, HostConfig } from '../../api/container.ts';
import { InvalidParameter, NotImplemented } from '../../api/errors.ts';
import type { Host } from '../host.ts';
import { checkLimits } from './limits.ts';
import { checkNetwork, networkModeOf } from './network-mode.ts';
import { checkCapabilities, checkNamespaceModes, checkSysctls, securityOptionsOf } from './security.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from './system-paths.ts';
import { checkTmpfsOptions } from './tmpfs-options.ts';

const RESTART_POLICIES = ['', 'no', 'always', 'unless-stopped', 'on-failure'];

/** What `--add-host name:host-gateway` stands for. */
const HOST_GATEWAY = 'host-gateway';

/** Fails with InvalidParameter or NotImplemented; gives warnings for what is accepted and not done. */
export function checkHostConfig(body: CreateBody, machine: Host): string[] {
  const host = body.HostConfig;
  checkRestartPolicy(host);
  checkNamespaceModes(host);
  checkCapabilities(host);
  checkSysctls(host);
  checkNames(host);
  checkDevices(host);
  for (const options of Object.values(host.Tmpfs ?? {})) checkTmpfsOptions(options);
  checkUnavailable(host, machine);
  return [
    ...checkLimits(host, machine),
    ...checkNetwork(body, networkModeOf(host)),
    ...securityOptionsOf(host).warnings,
  ];
}

/** With defaults filled in. */
export function settleHostConfig(host: HostConfig, machine: Host): HostConfig {
  const isOpen = host.Privileged || securityOptionsOf(host).openSystemPaths;
  const systemPaths = {
    MaskedPaths: host.MaskedPaths ?? (isOpen ? [] : [...DEFAULT_MASKED_PATHS]),
    ReadonlyPaths: host.ReadonlyPaths ?? (isOpen ? [] : [...DEFAULT_READONLY_PATHS]),
  };
  const usesDefaultLog = host.LogConfig.Type === '';
  return {
    ...host,
    ...systemPaths,
    LogConfig: usesDefaultLog
      ? { Type: machine.defaultLogDriver, Config: { ...machine.defaultLogOptions, ...host.LogConfig.Config } }
      : host.LogConfig,
    NetworkMode: host.NetworkMode || 'default',
    RestartPolicy: { ...host.RestartPolicy, Name: host.RestartPolicy.Name || 'no' },
    IpcMode: host.IpcMode || 'private',
    CgroupnsMode: host.CgroupnsMode || (machine.cgroup === 'v2' ? 'private' : 'host'),
    Runtime: host.Runtime || machine.defaultRuntime,
    ShmSize: host.ShmSize || machine.defaultShmSize,
    MemorySwap: host.MemorySwap === 0 && host.Memory > 0 ? host.Memory * 2 : host.MemorySwap,
    OomKillDisable: host.OomKillDisable ?? false,
    // What clients send for `not set`.
    MemorySwappiness: host.MemorySwappiness === -1 ? null : host.MemorySwappiness,
    PidsLimit: (host.PidsLimit ?? 0) <= 0 ? null : host.PidsLimit,
  };
}

function checkRestartPolicy({ RestartPolicy: { Name, MaximumRetryCount: count }, AutoRemove }: HostConfig): void {
  if (!RESTART_POLICIES.includes(Name)) throw new InvalidParameter(`invalid restart policy '${Name}'`);
  if (count < 0) throw new InvalidParameter('maximum retry count cannot be negative');
  if (count > 0 && Name !== 'on-failure' && Name !== '') {
    throw new InvalidParameter(`maximum retry count cannot be used with restart policy '${Name}'`);
  }
  if (AutoRemove && Name !== '' && Name !== 'no') {
    throw new InvalidParameter("can't create 'AutoRemove' container with restart policy");
  }
}

/** What ends up as lines of /etc/hosts and /etc/resolv.conf. */
function checkNames({ ExtraHosts, Dns, DnsSearch, DnsOptions }: HostConfig): void {
  for (const entry of ExtraHosts ?? []) checkExtraHost(entry);
  for (const address of Dns ?? []) {
    if (isIP(address) === 0) throw new InvalidParameter(`IP address is not correctly formatted: ${address}`);
  }
  for (const word of [...(DnsSearch ?? []), ...(DnsOptions ?? [])]) {
    if (!/^[^\s\p{Cc}]+$/u.test(word)) throw new InvalidParameter(`invalid dns search domain or option: '${word}'`);
  }
}

function checkExtraHost(entry: string): void {
  const [name, address] = splitExtraHost(entry);
  if (name === '' || address === '' || !/^[^\s\p{Cc}]+$/u.test(name)) {
    throw new InvalidParameter(`bad format for add-host: "${entry}"`);
  }
  if (address === HOST_GATEWAY) {
    throw new NotImplemented(
      'unable to derive the IP value for host-gateway: there is no bridge network yet, name an address instead',
    );
  }
  if (isIP(address) === 0) throw new InvalidParameter(`invalid IP address in add-host: "${address}"`);
}

/** `name:address`; an IPv6 address has colons of its own, and may stand in brackets. */
export function splitExtraHost(entry: string): [name: string, address: string] {
  const at = entry.indexOf(':');
  if (at === -1) return [entry, ''];
  return [entry.slice(0, at), entry.slice(at + 1).replace(/^\[(.*)\]$/, '$1')];
}

function checkDevices({ Devices, DeviceCgroupRules }: HostConfig): void {
  for (const { PathOnHost, PathInContainer, CgroupPermissions } of Devices ?? []) {
    if (!PathOnHost.startsWith('/')) throw new InvalidParameter(`bad format for path: ${PathOnHost}`);
    if (PathInContainer !== '' && !PathInContainer.startsWith('/')) {
      throw new InvalidParameter(`bad format for path: ${PathInContainer}`);
    }
    if (!/^[rwm]{0,3}$/.test(CgroupPermissions)) throw new InvalidParameter(`bad mode specified: ${CgroupPermissions}`);
  }
  for (const rule of DeviceCgroupRules ?? []) {
    if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(rule)) {
      throw new InvalidParameter(`invalid device cgroup rule format: '${rule}'`);
    }
  }
}

/** Fields that stand for something this engine does not have: never passed over in silence. */
function checkUnavailable(host: HostConfig, { defaultRuntime }: Host): void {
  if (host.Runtime !== '' && host.Runtime !== defaultRuntime && host.Runtime !== 'runc') {
    throw new InvalidParameter(`Unknown runtime specified ${host.Runtime}`);
  }
  if (host.Isolation !== '' && host.Isolation !== 'default') {
    throw new InvalidParameter(`Invalid isolation: "${host.Isolation}" - linux only supports 'default'`);
  }
  if (host.Cgroup !== '') throw new InvalidParameter(`invalid cgroup spec: ${host.Cgroup}`);
  if ((host.DeviceRequests ?? []).length > 0) {
    throw new NotImplemented('could not select device driver: this engine has none (--gpus, --device with CDI)');
  }
  for (const option of Object.keys(host.StorageOpt ?? {})) {
    if (option !== 'size') throw new InvalidParameter(`Unknown option ${option}`);
    throw new NotImplemented("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
  if (!/^[^\0]*$/.test(host.CgroupParent) || host.CgroupParent.split('/').includes('..')) {
    throw new InvalidParameter(`invalid cgroup parent: '${host.CgroupParent}'`);
  }
}
