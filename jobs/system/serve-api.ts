import type { JobHandler } from '../daemon.ts';

/** The server, as far as jobs may know it. */
export interface Api {
  /** Opens every address, or fails with none of them open. */
  listen(addresses: readonly string[]): Promise<Listening>;
  /** Lets requests in; those that came before have waited. */
  accept(): void;
}

/** The addresses that one call has opened. */
export interface Listening {
  /** No new connections, and those that are there are cut. */
  close(): void;
}

/**
 * serve_api — listens on every address of its arguments, until the engine stops or whoever asked for it leaves. It closes
 * what it opened itself, and nothing of another job of this name.
 *
 * fails   InvalidParameter (address) · Conflict (another daemon is there) · SystemFailure
 * source  dockerd --host; early Docker's job of that name
 */
export const serveApi =
  (api: Api): JobHandler<'serve_api'> =>
  async (job) => {
    const listening = await api.listen(job.args);
    job.accept(null);
    await new Promise<void>((resolve) => {
      if (job.signal.aborted) resolve();
      else job.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    listening.close();
    return null;
  };
