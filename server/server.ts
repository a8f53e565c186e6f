import type { Server } from 'node:http';
import { ApiServer } from './api-server.ts';
import { type ListenOptions, listen } from './listen.ts';
import type { Route } from './route.ts';

/** The API and its listeners, as the jobs `serve_api` and `acceptconnections` drive them. */
export class ApiService {
  readonly #api: ApiServer;
  readonly #options: ListenOptions;
  readonly #servers: Server[] = [];

  constructor(routes: readonly Route[], options: ListenOptions) {
    this.#api = new ApiServer(routes);
    this.#options = options;
  }

  /** Opens every address, or fails with none of them open. */
  async listen(addresses: readonly string[]): Promise<void> {
    this.#servers.push(...(await listen(this.#api, addresses, this.#options)));
  }

  accept(): void {
    this.#api.accept();
  }

  /** No new connections; those that are open are cut. Unix sockets are gone from the file system. */
  close(): void {
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  }
}
