import { readFile } from 'node:fs/promises';
import { InvalidParameter } from '../api/errors.ts';
import type { Tls } from './listen.ts';

/** As the configuration names them. */
export interface TlsSettings {
  readonly tls: boolean;
  readonly tlsverify: boolean;
  readonly tlscacert: string;
  readonly tlscert: string;
  readonly tlskey: string;
}

/**
 * Reads the PEM files; null when TLS is not asked for. Clients are verified against the CA alone when `tlsverify` is set.
 * Fails with InvalidParameter in dockerd's words when a file is missing.
 */
export async function loadTls(settings: TlsSettings): Promise<Tls | null> {
  if (!settings.tls && !settings.tlsverify) return null;
  return {
    cert: await read('tlscert', settings.tlscert),
    key: await read('tlskey', settings.tlskey),
    ca: settings.tlsverify ? await read('tlscacert', settings.tlscacert) : null,
  };
}

async function read(option: string, path: string): Promise<string> {
  if (path === '') throw new InvalidParameter(`invalid TLS configuration: --${option} is missing`);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new InvalidParameter(`invalid TLS configuration: could not read --${option} ${path}: ${String(error)}`, {
      cause: error,
    });
  }
}
