/**
 * Who wants to be there when a container starts. `docker run` attaches and sizes its terminal before it starts the
 * container, and must miss nothing of it; so an attach to what does not run is kept here until `start` takes it into the
 * stdio plan of the process.
 *
 *   attach  add(id, request, abandoned) ──▶ start  take(id) ──▶ exec.run: request.connected(attachment)
 *                                      └──▶ delete, a start that fails: abandon(id): abandoned()
 *
 * In memory only: a client's connection does not outlive the daemon either.
 */
import { Conflict } from '../../api/errors.ts';
import type { ContainerID } from '../../api/ids.ts';
import type { AttachRequest } from '../../drivers/exec/driver.ts';

/** Clients that may wait for one container. */
const MAX_WAITING = 256;

export type ConsoleSize = readonly [height: number, width: number];

interface Waiting {
  readonly request: AttachRequest;
  readonly abandoned: () => void;
}

/** What `start` takes over: it runs with the requests, or gives them up. */
export interface TakenAttachments {
  readonly requests: readonly AttachRequest[];
  /** The size a client asked for before there was a terminal. */
  readonly consoleSize: ConsoleSize | null;
  /** The start has failed: whoever is not connected is told that nothing will come. */
  abandon(): void;
}

export class Attachments {
  readonly #waiting = new Map<ContainerID, Set<Waiting>>();
  readonly #sizes = new Map<ContainerID, ConsoleSize>();

  /**
   * Waits for the container's next start. Exactly one of `request.connected` and `abandoned` is called, once, unless
   * the caller takes its request back by what is returned. Fails with Conflict when too many wait already.
   */
  add(id: ContainerID, request: AttachRequest, abandoned: () => void): () => void {
    const all = this.#waiting.get(id) ?? new Set();
    if (all.size >= MAX_WAITING) throw new Conflict(`too many clients wait for container ${id} to start`);
    const waiting = { request, abandoned };
    this.#waiting.set(id, all.add(waiting));
    return () => {
      all.delete(waiting);
      if (all.size === 0 && this.#waiting.get(id) === all) this.#waiting.delete(id);
    };
  }

  /** The terminal of the container's next start is to have this size. */
  resize(id: ContainerID, size: ConsoleSize): void {
    this.#sizes.set(id, size);
  }

  take(id: ContainerID): TakenAttachments {
    const all = [...(this.#waiting.get(id) ?? [])];
    const consoleSize = this.#sizes.get(id) ?? null;
    this.#waiting.delete(id);
    this.#sizes.delete(id);
    const open = new Set(all);
    const requests = all.map((waiting) => ({
      ...waiting.request,
      connected: (attachment: Parameters<AttachRequest['connected']>[0]) => {
        open.delete(waiting);
        waiting.request.connected(attachment);
      },
    }));
    return { requests, consoleSize, abandon: () => giveUp(open) };
  }

  /** The container is gone, or did not start. */
  abandon(id: ContainerID): void {
    this.take(id).abandon();
  }
}

function giveUp(open: Set<Waiting>): void {
  const left = [...open];
  open.clear();
  for (const waiting of left) waiting.abandoned();
}
