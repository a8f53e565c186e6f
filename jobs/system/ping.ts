import type { JobHandler } from '../daemon.ts';

/**
 * ping — is anybody there?
 *
 * source  Docker Engine API, GET /_ping
 */
export const ping = (): JobHandler<'ping'> => async () => 'OK';
