import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { InvalidParameter, SystemFailure } from '../api/errors.ts';
import { type DiffID, type Digest, diffID, parseDigest } from '../api/ids.ts';
import type { FromWorker, InflateRequest, ToWorker } from './inflate-messages.ts';

/** A layer as it lies in a file: compressed or not, the bytes tell. */
export interface FilePart {
  /** Open until the layer is read. */
  readonly fd: number;
  readonly offset: number;
  readonly size: number;
}

/** A layer's tar on its way out of its compression. */
export interface Inflated {
  /** Uncompressed; to be read to the end. */
  readonly tar: Readable;
  /** Once `tar` has ended: the hash of what came out, and of what was in the file. Rejects when it did not end well. */
  readonly digests: Promise<{ readonly diffID: DiffID; readonly digest: Digest }>;
}

export interface InflateOptions {
  /** What the user calls it: a layer, unless told. */
  readonly what?: string;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the file read so far, now and then. */
  readonly progress?: (read: number) => void;
}

/** What a layer may unpack to: 1 GiB whatever its size, and beyond that 256 times its size (gzip can do 1032). */
const FREE_BYTES = 1024 ** 3;
const MAX_RATIO = 256;

/**
 * Takes layers out of their compression and hashes them in a thread of its own, one after another, so that neither costs
 * the event loop more than passing on large chunks. Disposing it ends the thread.
 */
export class Inflater implements AsyncDisposable {
  readonly #bounds: { readonly freeBytes: number; readonly maxRatio: number };
  #worker: Worker | null = null;

  constructor(bounds = { freeBytes: FREE_BYTES, maxRatio: MAX_RATIO }) {
    this.#bounds = bounds;
  }

  /** One at a time: the one before has ended or was destroyed. The tar fails with InvalidParameter where the bytes are bad. */
  inflate(part: FilePart, { what = 'layer', signal, progress }: InflateOptions = {}): Inflated {
    const worker = this.#start();
    const request: InflateRequest = { kind: 'inflate', what, ...part, ...this.#bounds };
    const tar = new InflatedTar(worker, progress ?? (() => {}), () => this.#abandon(worker));
    const stop = () => tar.destroy(signal?.reason instanceof Error ? signal.reason : new Error('cancelled'));
    if (signal?.aborted === true) stop();
    else {
      signal?.addEventListener('abort', stop, { once: true });
      tar.once('close', () => signal?.removeEventListener('abort', stop));
      tell(worker, request);
    }
    return { tar, digests: tar.digests };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL('./inflate-worker.js', import.meta.url), {
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    this.#worker = worker;
    return worker;
  }

  /** Whoever stops in the middle leaves a worker in the middle: the next layer gets another. */
  #abandon(worker: Worker): void {
    if (this.#worker === worker) this.#worker = null;
    worker.terminate().catch(() => {});
  }
}

const tell = (worker: Worker, message: ToWorker): void => worker.postMessage(message);

class InflatedTar extends Readable {
  readonly digests: Inflated['digests'];
  readonly #worker: Worker;
  readonly #abandon: () => void;
  #settle: { resolve: (digests: Awaited<Inflated['digests']>) => void; reject: (error: unknown) => void };
  /** Chunks taken into the queue here whose place the worker may not fill yet. */
  #owed = 0;
  #isEnded = false;

  constructor(worker: Worker, progress: (read: number) => void, abandon: () => void) {
    super({ highWaterMark: 2 * 1024 ** 2 });
    this.#worker = worker;
    this.#abandon = abandon;
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.digests = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.digests.catch(() => {});
    // It may fail before its reader has come, who finds it errored then; nobody listening must not end the daemon.
    this.on('error', () => {});
    const onMessage = (message: FromWorker) => this.#take(message, progress);
    const onError = (error: Error) => this.destroy(error);
    const onExit = () => this.destroy(new Error('the thread that unpacks layers has ended'));
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    this.once('close', () => worker.off('message', onMessage).off('error', onError).off('exit', onExit));
  }

  override _read(): void {
    for (; this.#owed > 0; this.#owed--) tell(this.#worker, { kind: 'taken' });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isEnded) {
      this.#abandon();
      this.#settle.reject(error ?? new Error('the layer was not read to its end'));
    }
    done(error);
  }

  #take(message: FromWorker, progress: (read: number) => void): void {
    if (this.destroyed) return;
    switch (message.kind) {
      case 'chunk': {
        this.#owed++;
        const { buffer, byteOffset, byteLength } = message.bytes;
        progress(message.read);
        if (this.push(Buffer.from(buffer, byteOffset, byteLength))) this._read();
        return;
      }
      case 'end':
        this.#isEnded = true;
        this.#settle.resolve({ diffID: diffID(message.diffID), digest: parseDigest(message.digest) });
        this.push(null);
        return;
      case 'error':
        this.destroy(failureOf(message));
    }
  }
}

/** What zlib found is the archive's fault, and so is what has no code; the rest is this machine's. */
function failureOf({ code, message }: { readonly code: string; readonly message: string }): Error {
  if (code === 'Z_BUF_ERROR') return new InvalidParameter('unexpected EOF');
  if (code.startsWith('ZSTD_')) return new InvalidParameter(`zstd: ${message}`);
  if (code === '' || code.startsWith('Z_')) return new InvalidParameter(code === '' ? message : `gzip: ${message}`);
  return new SystemFailure(`${code}: ${message}`);
}
