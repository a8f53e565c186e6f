/**
 * Has the caller gone away? A closed connection says so. One whose reading side has ended may be a caller that only
 * closed its own side (`CloseWrite`: there will be no more stdin) and still listens; on a unix socket a write of no
 * bytes tells the two apart: EPIPE only when the other end is closed whole (unix(7)).
 */
import type { Socket } from 'node:net';

const PROBE_INTERVAL_MS = 10_000;
const NOTHING = Buffer.alloc(0);

export class Departure {
  readonly #gone = new AbortController();
  readonly #socket: Socket;
  readonly #isUnix: boolean;
  #probing: NodeJS.Timeout | null = null;
  #isLong = false;
  readonly #onEnd = () => this.#ended();
  readonly #onClose = () => this.#leave();

  constructor(socket: Socket, isUnix: boolean) {
    this.#socket = socket;
    this.#isUnix = isUnix;
    // Requests in a row on one connection listen side by side.
    socket.setMaxListeners(0);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    if (socket.destroyed) this.#leave();
    else if (socket.readableEnded) this.#ended();
  }

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** The answer may take for ever: on TCP the end of what the caller sends is then its departure. */
  expectLong(): void {
    this.#isLong = true;
    if (this.#socket.readableEnded) this.#ended();
  }

  /** The connection has left HTTP, and our listeners with it. Look again and again: the process may never write nor read. */
  expectRaw(): void {
    this.#socket.off('end', this.#onEnd).on('end', this.#onEnd);
    if (this.#isUnix) this.#probe();
  }

  /** The request is answered. */
  done(): void {
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onClose);
    this.#stopProbing();
  }

  #ended(): void {
    if (this.#isUnix) this.#probe();
    else if (this.#isLong) this.#leave();
  }

  #probe(): void {
    this.#socket.write(NOTHING);
    this.#probing ??= setInterval(() => this.#socket.write(NOTHING), PROBE_INTERVAL_MS).unref();
  }

  #leave(): void {
    this.done();
    this.#gone.abort(new CallerLeft());
  }

  #stopProbing(): void {
    if (this.#probing !== null) clearInterval(this.#probing);
    this.#probing = null;
  }
}

/** Why the signal of a request was raised. */
export class CallerLeft extends Error {
  override readonly name = 'AbortError';
  constructor() {
    super('the client has gone away');
  }
}
