import type { ContainerID } from '../../api/ids.ts';
import type { Attachment, AttachRequest } from '../../drivers/exec/driver.ts';
import type { Attachments } from './attachments.ts';

/**
 * A caller's place among those who are attached to a container, from the moment it is asked for: what the container says
 * waits for the caller meanwhile. At disposal the caller is attached no more, nor will be.
 */
export class AttachPlace implements Disposable {
  /** What it is attached by; null for nothing, since the start has failed, or the container or the caller is gone. */
  readonly taken: Promise<Attachment | null>;
  readonly #signal: AbortSignal;
  #attachment: Attachment | null = null;
  #hasLeft = false;
  #settle: (attachment: Attachment | null) => void = () => {};
  #withdraw: () => void = () => {};
  /** Who is attached already leaves in its own way. */
  readonly #onAbort = () => {
    if (this.#attachment === null) this[Symbol.dispose]();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.taken = new Promise((resolve) => {
      this.#settle = resolve;
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  give(attachment: Attachment | null): void {
    if (this.#hasLeft) attachment?.detach();
    else this.#attachment = attachment;
    this.#settle(attachment);
  }

  /** Until the container starts. Fails with Conflict when too many wait already. */
  wait(attachments: Attachments, id: ContainerID, streams: Omit<AttachRequest, 'connected'>): void {
    const connected = (attachment: Attachment) => this.give(attachment);
    this.#withdraw = attachments.add(id, { ...streams, connected }, () => this.give(null));
  }

  [Symbol.dispose](): void {
    this.#hasLeft = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#withdraw();
    this.#attachment?.detach();
    this.#settle(null);
  }
}
