import { ApiServer } from './api-server.ts';
import { type Listener, type ListenOptions, listen } from './listen.ts';
import type { Route } from './route.ts';

/** The API and its listeners, as the jobs `serve_api` and `acceptconnections` drive them. */
export class ApiService {
  readonly #routes: () => readonly Route[];
  #api: ApiServer | null = null;
  readonly #options: ListenOptions;

  /** `routes` are asked for when it begins to listen: plugins bring some. */
  constructor(routes: () => readonly Route[], options: ListenOptions) {
    this.#routes = routes;
    this.#options = options;
  }

  /** Opens every address, or fails with none of them open. */
  async listen(addresses: readonly string[]): Promise<Listener> {
    this.#api ??= new ApiServer(this.#routes());
    const listeners = await listen(this.#api, addresses, this.#options);
    return {
      close: () => {
        for (const listener of listeners) listener.close();
      },
    };
  }

  accept(): void {
    this.#api?.accept();
  }
}
