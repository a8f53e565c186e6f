/**
 * Against pages in a browser on this machine: a script may send requests to a TCP port of the loopback, by address or,
 * through DNS rebinding, under a name of its own. A browser cannot help saying where such a request comes from.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Forbidden } from '../api/errors.ts';

/** `allowed`: host names beside addresses and localhost that clients may use. Fails with Forbidden. */
export function checkOrigin(request: IncomingMessage, allowed: readonly string[]): void {
  const { origin, referer, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined || referer !== undefined || (site !== undefined && site !== 'none')) {
    throw new Forbidden('requests from web pages are refused: the header Origin, Referer or Sec-Fetch-Site is set');
  }
  const name = hostName(host ?? '');
  const isFine = name === 'localhost' || isIP(name) !== 0 || allowed.includes(name);
  if (!isFine) throw new Forbidden(`host ${JSON.stringify(name.slice(0, 100))} in the header Host is not this daemon`);
}

function hostName(host: string): string {
  const bracketed = /^\[([^\]%]+)(?:%[^\]]*)?\](?::\d+)?$/.exec(host);
  return (bracketed?.[1] ?? host.replace(/:\d*$/, '')).toLowerCase();
}
