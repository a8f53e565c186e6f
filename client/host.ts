import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PORT, DEFAULT_SOCKET, DEFAULT_TLS_PORT } from '../api/system.ts';
import { messageOf } from '../std/thrown.ts';

export const DEFAULT_HOST = `unix://${DEFAULT_SOCKET}`;

/** What was asked for on the command line; null where nothing was. */
export interface HostFlags {
  readonly host: string | null;
  readonly tls: boolean;
  readonly tlsverify: boolean;
  readonly tlscacert: string | null;
  readonly tlscert: string | null;
  readonly tlskey: string | null;
}

/** Where the daemon is, and how to speak to it. */
export interface Host {
  /** As the user wrote it. */
  readonly name: string;
  readonly isSecure: boolean;
  /** For `node:http` and `node:https`. */
  readonly options: RequestOptions;
}

/** A request of the user that makes no sense: told without a stack, exit status 125. */
export class UsageError extends Error {}

/** Finds the daemon: -H, then DOCKER_HOST, then the default socket; certificates as the docker CLI looks for them. */
export async function hostOf(flags: HostFlags, env: NodeJS.ProcessEnv): Promise<Host> {
  const name = flags.host ?? (env['DOCKER_HOST'] || DEFAULT_HOST);
  if (name.startsWith('unix://')) return { name, isSecure: false, options: { socketPath: name.slice(7) } };
  const match = /^(?:tcp|https?):\/\/(\[[^\]]+\]|[^:/]+)(?::(\d{1,5}))?\/?$/.exec(name);
  if (match === null) throw new UsageError(`unable to parse docker host \`${name}\``);
  const [, host = '', port] = match;
  const verify = flags.tlsverify || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  const isSecure = verify || flags.tls || name.startsWith('https:');
  const address = {
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port ?? (isSecure ? DEFAULT_TLS_PORT : DEFAULT_PORT)),
  };
  return { name, isSecure, options: isSecure ? { ...address, ...(await certificates(flags, env, verify)) } : address };
}

/** What is not there is left out, but for what was asked for by name. */
async function certificates(flags: HostFlags, env: NodeJS.ProcessEnv, verify: boolean): Promise<object> {
  const folder = env['DOCKER_CERT_PATH'] || join(env['HOME'] ?? homedir(), '.docker');
  const isNeeded = verify || (env['DOCKER_CERT_PATH'] ?? '') !== '';
  const read = async (path: string | null, name: string): Promise<Buffer | undefined> => {
    try {
      return await readFile(path ?? join(folder, name));
    } catch (error) {
      if (path === null && !isNeeded) return undefined;
      throw new UsageError(`could not read ${path ?? join(folder, name)}: ${messageOf(error)}`);
    }
  };
  const [ca, cert, key] = [
    await read(flags.tlscacert, 'ca.pem'),
    await read(flags.tlscert, 'cert.pem'),
    await read(flags.tlskey, 'key.pem'),
  ];
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), rejectUnauthorized: verify };
}
