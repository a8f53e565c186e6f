import { type ProgressMessage, progressLine } from '../../api/progress.ts';

/** As much of a job as progress is told to. */
interface Teller {
  readonly stdout: { write(text: string): Promise<void> };
  accept(value: null): void;
}

/** Docker's own pace, in milliseconds between two lines about the same thing. */
const PACE_MS = 100;

/**
 * Tells a job's caller how far it has come. The first line is the job's word that a long answer begins: what fails before
 * it is a failed request.
 */
export class Progress {
  readonly #job: Teller;
  #isWriting = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(job: Teller) {
    this.#job = job;
  }

  /** Resolves when there is room for more. */
  async tell(message: ProgressMessage): Promise<void> {
    this.#job.accept(null);
    await this.#job.stdout.write(progressLine(message));
  }

  /** Of bytes on their way: now and then, and never faster than the caller reads. The last of them is always told. */
  bytes(id: string, status: string, total: number): (current: number) => void {
    return (current) => {
      const isLast = current >= total;
      const now = performance.now();
      if (!isLast && (this.#isWriting || now - this.#toldAt < PACE_MS)) return;
      this.#toldAt = now;
      this.#isWriting = true;
      const written = () => {
        this.#isWriting = false;
      };
      // It fails where the job is cancelled, which the job itself will notice.
      this.tell({ id, status, progressDetail: { current, total } }).then(written, written);
    };
  }
}
