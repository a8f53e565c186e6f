/** Where the API is heard: on a unix socket, on TCP with TLS or without, on sockets that are handed over. */
import { existsSync, rmSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, readlink, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, isIP } from 'node:net';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import createDebug from 'debug';
import { Conflict, InvalidParameter, SystemFailure } from '../api/errors.ts';
import { hasErrno } from '../std/errno.ts';
import { type Address, parseAddress } from './address.ts';
import type { ApiServer, Transport } from './api-server.ts';

const debug = createDebug('gantry:server:listen');
const warn = createDebug('gantry:warn:listen');

const HEADERS_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 300_000;
const MAX_HEADER_BYTES = 64 * 1024;
/** Connections that may wait to be taken; net.core.somaxconn caps it. */
const BACKLOG = 4096;
/** First descriptor that a service manager hands over. */
const LISTEN_FDS_START = 3;
/** Of a unix socket: for root and the group. */
const MODE = 0o660;

/** PEM, read before. `ca`: who signed the clients that may come in; null lets anyone in. */
export interface Tls {
  readonly ca: string | null;
  readonly cert: string;
  readonly key: string;
}

export interface ListenOptions {
  readonly tls: Tls | null;
  /** Group that may use a unix socket, by name or number. */
  readonly group: string;
  /** A listening socket whose file has no more than these permissions from its first instant; gives its descriptor. */
  readonly bindUnix: (path: string, mode: number) => number;
}

/** An open address. */
export interface Listener {
  /** No new connections, and the ones there are cut; a unix socket's file goes. */
  close(): void;
}

/** Opens every address, or none: what was opened before a failure is closed. */
export async function listen(
  api: ApiServer,
  addresses: readonly string[],
  options: ListenOptions,
): Promise<Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const text of addresses) {
      listeners.push(...(await open(api, parseAddress(text, options.tls !== null), options)));
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return listeners;
}

async function open(api: ApiServer, address: Address, options: ListenOptions): Promise<Listener[]> {
  switch (address.kind) {
    case 'unix':
      return [await openUnix(api, address.path, options)];
    case 'tcp':
      return [await openTcp(api, address, options.tls)];
    case 'fd':
      return Promise.all(inherited(address.index).map((fd) => openInherited(api, fd, options.tls)));
  }
}

/** 0660, of root until it is of the group. */
async function openUnix(api: ApiServer, path: string, { group, bindUnix }: ListenOptions): Promise<Listener> {
  await mkdir(dirname(path), { recursive: true });
  await clearStale(path);
  const server = makeServer(api, { kind: 'unix', hosts: null }, null);
  const gid = await groupID(group);
  const fd = bindUnix(path, MODE);
  if (gid !== null) await chown(path, 0, gid);
  // What the umask took away.
  await chmod(path, MODE);
  await listenOn(server, { fd }, path);
  debug('listening on %s', path);
  return listener(server, path);
}

/** A socket that nobody answers at is what a crash left. Anything else in its place is not ours to remove. */
async function clearStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket())
    throw new Conflict(`can't create unix socket ${path}: something else is in its place; remove it first`);
  if (await isAnswered(path)) {
    throw new Conflict(
      `can't create unix socket ${path}: another daemon is listening there; stop it or use another --host`,
    );
  }
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Any other refusal is somebody's: of a daemon, say, that has as many callers waiting as it may have.
    probe.once('error', (error) => resolve(!hasErrno(error, 'ECONNREFUSED', 'ENOENT')));
  });
}

async function openTcp(
  api: ApiServer,
  { host, port }: { host: string; port: number },
  tls: Tls | null,
): Promise<Listener> {
  if (tls?.ca == null) warnOpen(host, port, tls !== null);
  const transport: Transport =
    tls === null ? { kind: 'tcp', hosts: [host, hostname().toLowerCase()] } : { kind: 'tls', hosts: null };
  const server = makeServer(api, transport, tls);
  await listenOn(server, { host, port }, `tcp://${host}:${port}`);
  return listener(server, null);
}

function warnOpen(host: string, port: number, isEncrypted: boolean): void {
  const who = isLoopback(host) ? 'any user of this machine' : 'anyone who reaches it';
  warn(
    'the API on tcp://%s:%d is %s: %s is root on this machine. Use --tlsverify',
    host,
    port,
    isEncrypted ? 'encrypted but asks for no client certificate' : 'neither encrypted nor protected',
    who,
  );
}

async function openInherited(api: ApiServer, fd: number, tls: Tls | null): Promise<Listener> {
  const isUnix = await isUnixSocket(fd);
  const transport: Transport = isUnix
    ? { kind: 'unix', hosts: null }
    : { kind: tls === null ? 'tcp' : 'tls', hosts: tls === null ? [hostname()] : null };
  const server = makeServer(api, transport, isUnix ? null : tls);
  await listenOn(server, { fd }, `fd://${fd}`);
  return listener(server, null);
}

function inherited(index: number | null): number[] {
  const count = process.env['LISTEN_PID'] === String(process.pid) ? Number(process.env['LISTEN_FDS'] ?? 0) : 0;
  const all = Array.from({ length: count }, (_, each) => LISTEN_FDS_START + each);
  const wanted = index === null ? all : all.filter((fd) => fd === index);
  if (wanted.length > 0) return wanted;
  throw new SystemFailure('no sockets found via socket activation: make sure the service was started by systemd');
}

/** By the kernel's list of unix sockets: what family a descriptor has, Node does not tell. */
async function isUnixSocket(fd: number): Promise<boolean> {
  const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/self/fd/${fd}`))?.[1];
  if (inode === undefined) throw new InvalidParameter(`fd://${fd} is not a socket`);
  const table = await readFile('/proc/self/net/unix', 'utf8');
  return table.split('\n').some((line) => line.split(/\s+/)[6] === inode);
}

function listener(server: Server, path: string | null): Listener {
  return {
    close: () => {
      server.close();
      server.closeAllConnections();
      if (path !== null) rmSync(path, { force: true });
    },
  };
}

function makeServer(api: ApiServer, transport: Transport, tls: Tls | null): Server {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    noDelay: true,
  };
  const server =
    tls === null
      ? createServer(limits, api.onRequest(transport))
      : // A caller that has sent all its stdin still reads; plain HTTP is half open by itself.
        createSecureServer({ ...limits, ...tlsOptions(tls), allowHalfOpen: true }, api.onRequest(transport));
  server.on('upgrade', api.onUpgrade(transport));
  server.on('clientError', (error, socket) => api.onClientError(error, socket));
  return Object.assign(server, { httpAllowHalfOpen: true });
}

function tlsOptions(tls: Tls) {
  return {
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2' as const,
    handshakeTimeout: HEADERS_TIMEOUT_MS,
    ...(tls.ca === null ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }),
  };
}

function listenOn(server: Server, where: { host: string; port: number } | { fd: number }, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'address already in use' : error.message;
      reject(new SystemFailure(`failed to load listeners: listen ${name}: ${why}`, { cause: error }));
    });
    server.listen(where, BACKLOG, () => resolve());
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** null: there is no such group, and the socket is root's alone. Only the default group may be missing. */
async function groupID(group: string): Promise<number | null> {
  if (/^\d+$/.test(group)) return Number(group);
  const table = existsSync('/etc/group') ? await readFile('/etc/group', 'utf8') : '';
  const row = table.split('\n').find((line) => line.startsWith(`${group}:`));
  if (row !== undefined) return Number(row.split(':')[2]);
  if (group !== 'docker') throw new InvalidParameter(`group ${group} not found: create it or use another --group`);
  debug('there is no group docker: the socket is for root alone');
  return null;
}
