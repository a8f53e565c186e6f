/** What the engine says of itself and of what happens in it. */
export type SystemVersion = Readonly<Record<string, unknown>> & { readonly ApiVersion: string };
export type SystemInfo = Readonly<Record<string, unknown>> & { readonly ID: string };

/** The API versions spoken: clients outside are told so (Docker Engine API, "Versioning"). */
export const API_VERSION = '1.50';
export const MIN_API_VERSION = '1.24';
/** The Engine release whose API this is; clients show it as the server's version beside our own. */
export const PRODUCT_VERSION = '28.2.2-gantry';

/** Where a daemon is heard and looked for when nobody says otherwise. */
export const DEFAULT_SOCKET = '/var/run/gantry.sock';
/** Of a `tcp://` address that names none: plain, and with TLS. */
export const DEFAULT_PORT = 2375;
export const DEFAULT_TLS_PORT = 2376;

/** One event, before the fields that the job `events` adds for old clients. `timeNano` in ns since 1970. */
export interface EngineEvent {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'daemon';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  readonly timeNano: bigint;
}
