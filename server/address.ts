/**
 * Addresses as `--host` has them: `unix://PATH`, `tcp://HOST:PORT`, `fd://` and `fd://N` (sockets that the service manager
 * hands over, sd_listen_fds(3)).
 */
import { InvalidParameter } from '../api/errors.ts';
import { DEFAULT_PORT, DEFAULT_SOCKET, DEFAULT_TLS_PORT } from '../api/system.ts';

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'fd'; readonly index: number | null };

/** Fails with InvalidParameter in Docker's words. */
export function parseAddress(text: string, hasTls: boolean): Address {
  const [, scheme = 'tcp', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(text.trim()) ?? [];
  switch (scheme) {
    case 'unix':
      return { kind: 'unix', path: absolute(rest || DEFAULT_SOCKET, text) };
    case 'tcp':
      return tcpAddress(rest, text, hasTls ? DEFAULT_TLS_PORT : DEFAULT_PORT);
    case 'fd':
      if (rest === '' || rest === '*') return { kind: 'fd', index: null };
      if (/^\d{1,4}$/.test(rest)) return { kind: 'fd', index: Number(rest) };
      throw new InvalidParameter(`invalid bind address format: ${text}`);
    default:
      throw new InvalidParameter(`invalid bind address format: ${text}`);
  }
}

function tcpAddress(rest: string, text: string, defaultPort: number): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:/[\]]*)(?::(\d{1,5}))?\/?$/.exec(rest);
  if (match === null) throw new InvalidParameter(`invalid bind address format: ${text}`);
  const [, host = '', port = ''] = match;
  const number = port === '' ? defaultPort : Number(port);
  if (number > 65535) throw new InvalidParameter(`invalid bind address format: ${text}`);
  return { kind: 'tcp', host: host.replace(/^\[|\]$/g, '') || 'localhost', port: number };
}

function absolute(path: string, text: string): string {
  if (!path.startsWith('/'))
    throw new InvalidParameter(`invalid bind address format: ${text}: the path must be absolute`);
  return path;
}
