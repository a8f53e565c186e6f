import { SystemFailure } from '../../api/errors.ts';
import type { Daemon, JobHandler } from '../daemon.ts';

type Deps = Pick<Daemon, 'networks'>;

/**
 * init_networkdriver — sees to it that every container can have a network, if only none.
 *
 * fails   SystemFailure
 * source  early Docker's job of that name
 */
export const initNetworkDriver =
  ({ networks }: Deps): JobHandler<'init_networkdriver'> =>
  async () => {
    for (const name of ['none', 'host']) {
      if (!networks.has(name)) throw new SystemFailure(`there is no network driver for ${name}`);
    }
    return null;
  };
