import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const NAMES = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];

/**
 * A CA, whom it signed, and one whom it did not: as PEM, and in `folder` as `ca.pem`, `server.pem`, `server.key` and so on.
 * Needs openssl.
 */
export function makeKeys(folder: string): { ca: string; server: Pair; client: Pair; stranger: Pair } {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const request = (name: string, out: string, ...flags: string[]) =>
    openssl('req', ...flags, ...KEY, '-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(out));
  const signed = (name: string) => {
    request(name, `${name}.csr`, ...NAMES);
    const by = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
    openssl('x509', '-req', '-in', at(`${name}.csr`), ...by, '-days', '2', '-out', at(`${name}.pem`));
  };
  const pair = (name: string): Pair => ({
    cert: readFileSync(at(`${name}.pem`), 'utf8'),
    key: readFileSync(at(`${name}.key`), 'utf8'),
  });
  for (const name of ['ca', 'stranger']) request(name, `${name}.pem`, '-x509', '-days', '2');
  for (const name of ['server', 'client']) signed(name);
  return { ca: pair('ca').cert, server: pair('server'), client: pair('client'), stranger: pair('stranger') };
}
