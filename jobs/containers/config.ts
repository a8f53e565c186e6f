/**
 * (pure) What to run: the caller's config, filled up from the image's, checked. Rules and words are dockerd's
 * (daemon/commit.go `merge`, daemon/container.go `verifyContainerConfig`).
 */
import type { ContainerConfig } from '../../api/container.ts';
import { InvalidParameter } from '../../api/errors.ts';
import type { ImageRunConfig } from '../../api/image.ts';
import { parseSignal } from '../../api/signals.ts';
import { cleanPath } from './mount-target.ts';

type Health = ContainerConfig['Healthcheck'];
const NANOSECONDS_PER_MS = 1_000_000;
/** sethostname(2): __NEW_UTS_LEN. */
const MAX_HOSTNAME = 64;

/** The whole config of a new container. Fails with InvalidParameter. */
export function settleConfig(asked: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const config = inherit(asked, image);
  const settled = { ...config, Entrypoint: isReset(config.Entrypoint) ? null : config.Entrypoint };
  check(settled);
  if (settled.WorkingDir === '') return settled;
  return { ...settled, WorkingDir: cleanPath(settled.WorkingDir) };
}

/** The program and its arguments. Fails with InvalidParameter when there is none. */
export function commandOf({ Entrypoint, Cmd }: ContainerConfig): { Path: string; Args: string[] } {
  const [path, ...rest] = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  if (path === undefined) throw new InvalidParameter('No command specified');
  return { Path: path, Args: rest };
}

function inherit(asked: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const noEntrypoint = (asked.Entrypoint ?? []).length === 0;
  const noCommand = (asked.Cmd ?? []).length === 0;
  return {
    ...asked,
    User: asked.User || image.User,
    ExposedPorts: union(image.ExposedPorts, asked.ExposedPorts),
    Env: mergeEnv(asked.Env, image.Env),
    Labels: union(image.Labels, asked.Labels),
    Cmd: noEntrypoint && noCommand ? image.Cmd : asked.Cmd,
    Entrypoint: asked.Entrypoint ?? image.Entrypoint,
    Healthcheck: mergeHealth(asked.Healthcheck, image.Healthcheck),
    Volumes: filled(union(image.Volumes, asked.Volumes)),
    WorkingDir: asked.WorkingDir || image.WorkingDir,
    StopSignal: asked.StopSignal || image.StopSignal,
    Shell: (asked.Shell ?? []).length > 0 ? asked.Shell : image.Shell,
  };
}

/** As dockerd keeps it: null, not an empty one. */
function filled<T>(entries: Record<string, T> | null): Record<string, T> | null {
  return entries === null || Object.keys(entries).length === 0 ? null : entries;
}

/** `--entrypoint ""` is sent as one empty word: no entrypoint at all. */
function isReset(entrypoint: readonly string[] | null): boolean {
  return entrypoint?.length === 1 && entrypoint[0] === '';
}

function union<T>(base: Record<string, T> | null, over: Record<string, T> | null): Record<string, T> | null {
  if (base === null) return over;
  return Object.assign(Object.create(null), base, over);
}

/** The caller's, then what the image has under other keys. `KEY` alone hides the image's. */
function mergeEnv(asked: string[] | null, image: string[] | null): string[] | null {
  if (asked === null || asked.length === 0) return image;
  const keys = new Set(asked.map(keyOf));
  return [...asked, ...(image ?? []).filter((entry) => !keys.has(keyOf(entry)))];
}

export function keyOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals === -1 ? entry : entry.slice(0, equals);
}

function mergeHealth(asked: Health, image: Health): Health {
  if (asked === null || image === null) return asked ?? image;
  return {
    Test: asked.Test.length > 0 ? asked.Test : image.Test,
    Interval: asked.Interval || image.Interval,
    Timeout: asked.Timeout || image.Timeout,
    StartPeriod: asked.StartPeriod || image.StartPeriod,
    StartInterval: asked.StartInterval || image.StartInterval,
    Retries: asked.Retries || image.Retries,
  };
}

function check(config: ContainerConfig): void {
  const { WorkingDir, Env, StopSignal } = config;
  if (WorkingDir !== '' && !WorkingDir.startsWith('/')) {
    throw new InvalidParameter(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`);
  }
  for (const entry of Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw new InvalidParameter(`invalid environment variable: ${entry}`);
  }
  if (StopSignal !== '') parseSignal(StopSignal);
  checkHostname('hostname', config.Hostname);
  checkHostname('domainname', config.Domainname);
  checkHealth(config.Healthcheck);
  refuseNul(config);
  for (const path of Object.keys(config.Volumes ?? {})) checkVolume(path);
}

/** It goes into /etc/hosts and /etc/hostname, so it has to stay one word on one line. */
function checkHostname(field: string, name: string): void {
  if (name.length <= MAX_HOSTNAME && /^[^\s\p{Cc}]*$/u.test(name)) return;
  throw new InvalidParameter(
    `invalid ${field} '${name}': at most ${MAX_HOSTNAME} characters, no spaces and no control characters`,
  );
}

function checkHealth(health: Health): void {
  if (health === null) return;
  for (const field of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    if (health[field] !== 0 && health[field] < NANOSECONDS_PER_MS) {
      throw new InvalidParameter(`${field} in Healthcheck cannot be less than 1ms`);
    }
  }
  if (health.Retries < 0) throw new InvalidParameter('Retries in Healthcheck cannot be negative');
  const [kind] = health.Test;
  if (kind !== undefined && !['NONE', 'CMD', 'CMD-SHELL', ''].includes(kind)) {
    throw new InvalidParameter(`Unknown type '${kind}' in Healthcheck: one of NONE, CMD, CMD-SHELL`);
  }
}

/** execve(2) and every path end at the first NUL: what comes behind it would be lost without a word. */
function refuseNul(config: ContainerConfig): void {
  const strings = { Env: config.Env, Cmd: config.Cmd, Entrypoint: config.Entrypoint };
  const single = { User: [config.User], WorkingDir: [config.WorkingDir] };
  for (const [field, values] of Object.entries({ ...strings, ...single })) {
    if (values?.some((value) => value.includes('\0'))) {
      throw new InvalidParameter(`invalid ${field}: it has a NUL byte`);
    }
  }
}

function checkVolume(path: string): void {
  if (!path.startsWith('/')) {
    throw new InvalidParameter(`invalid volume specification: '${path}': mount path must be absolute`);
  }
  if (cleanPath(path) === '/') {
    throw new InvalidParameter(`invalid volume specification: '${path}': destination can't be '/'`);
  }
}
