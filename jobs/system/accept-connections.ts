import type { JobHandler } from '../daemon.ts';
import type { Api } from './serve-api.ts';

/**
 * acceptconnections — lets requests in, and tells the service manager that the daemon is ready.
 *
 * source  early Docker's job of that name; sd_notify(3)
 */
export const acceptConnections =
  (api: Pick<Api, 'accept'>, notify: (state: string) => void): JobHandler<'acceptconnections'> =>
  async () => {
    api.accept();
    notify('READY=1');
    return null;
  };
