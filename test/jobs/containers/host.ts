import { arch, cpus, hostname, release, totalmem } from 'node:os';
import type { Host } from '../../../jobs/host.ts';

/** This machine, with dockerd's defaults. */
export function hostOf(over: Partial<Host> = {}): Host {
  return {
    dataRoot: '/var/lib/gantry',
    execRoot: '/run/gantry',
    cgroup: 'v2',
    cgroupParent: '/gantry',
    kernelVersion: release(),
    operatingSystem: 'Linux',
    architecture: arch() === 'arm64' ? 'aarch64' : 'x86_64',
    cpus: cpus().length,
    memoryNodes: '0',
    memory: totalmem(),
    defaultLogDriver: 'json-file',
    defaultLogOptions: {},
    defaultShmSize: 64 * 1024 * 1024,
    defaultUlimits: [],
    defaultRuntime: 'gantry',
    init: false,
    noNewPrivileges: false,
    labels: [],
    debug: false,
    id: 'test',
    hostname: hostname(),
    ...over,
  };
}
