import createDebug from 'debug';
import { Unavailable } from '../api/errors.ts';

const debug = createDebug('gantry:engine');
const warn = createDebug('gantry:warn:engine');

/** What a shutdown does with a job that runs:
 *
 *   work    has time to end well, then its signal is raised
 *   watch   lasts as long as somebody looks (`events`, `logs -f`, `attach`): its signal is raised at once
 *   daemon  is what the others need (`serve_api`): its signal is raised when they have ended
 */
export type Life = 'work' | 'watch' | 'daemon';

/** Milliseconds. */
export interface Deadlines {
  /** For running jobs to end well, before their signal is raised. */
  readonly graceMs: number;
  /** For jobs to end once their signal is raised. What does not is left behind, and told. */
  readonly signalledMs: number;
}
const DEADLINES: Deadlines = { graceMs: 5_000, signalledMs: 5_000 };
const HANDLER_MS = 10_000;

export interface LivingJob {
  readonly name: string;
  readonly id: number;
  cancel(reason: Error): void;
}

interface ShutdownHandler {
  readonly label: string;
  readonly run: () => unknown;
  readonly deadlineMs: number;
}

/**
 * The jobs now running, and how it all ends, each phase with its deadline:
 *
 *   new jobs are refused · jobs that watch are signalled
 *   → the others have a grace, then are signalled
 *   → jobs that the others need are signalled
 *   → shutdown handlers, the last registered first
 */
export class Lifetime {
  readonly #running = new Map<LivingJob, Life>();
  readonly #handlers: ShutdownHandler[] = [];
  #isIdle: () => void = () => {};
  #shutdown: Promise<void> | null = null;

  /** True from the first instant of a shutdown. */
  get isShutdown(): boolean {
    return this.#shutdown !== null;
  }

  /** Fails with Unavailable once a shutdown has begun, unless the job is exempt: a child, or part of the shutdown. */
  admit(job: LivingJob, life: Life, isExempt: boolean): void {
    if (this.isShutdown && !isExempt) throw new Unavailable('engine is shut down');
    this.#running.set(job, life);
  }

  release(job: LivingJob): void {
    this.#running.delete(job);
    this.#isIdle();
  }

  /** `label` names it in the log. A step that fails or takes longer than `deadlineMs` is told, and left. */
  onShutdown(label: string, run: () => unknown, deadlineMs = HANDLER_MS): void {
    this.#handlers.push({ label, run, deadlineMs });
  }

  /** Idempotent: a second caller waits for the first to be done. Never rejects. */
  shutdown(deadlines: Partial<Deadlines> = {}): Promise<void> {
    this.#shutdown ??= this.#run({ ...DEADLINES, ...deadlines });
    return this.#shutdown;
  }

  async #run({ graceMs, signalledMs }: Deadlines): Promise<void> {
    // One turn of the loop later, so that `isShutdown` already says so to whoever is called from here.
    await Promise.resolve();
    this.#cancel('watch');
    await this.#ended(['work', 'watch'], graceMs);
    this.#cancel('work');
    await this.#ended(['work', 'watch'], signalledMs);
    this.#cancel('daemon');
    await this.#ended(['work', 'watch', 'daemon'], signalledMs);
    for (const [job] of this.#running) warn('job %s (%d) does not end, and is left behind', job.name, job.id);
    for (const handler of this.#handlers.reverse()) await runInTime(handler);
  }

  #cancel(life: Life): void {
    for (const [job, itsLife] of this.#running) {
      if (itsLife === life) job.cancel(new Unavailable('engine is shutting down'));
    }
  }

  /** Waits until no job of these lives is running, or the time is over. */
  async #ended(lives: readonly Life[], ms: number): Promise<void> {
    const isOver = () => ![...this.#running.values()].some((life) => lives.includes(life));
    if (isOver()) return;
    await inTime(
      new Promise<void>((resolve) => {
        this.#isIdle = () => isOver() && resolve();
      }),
      ms,
    );
    this.#isIdle = () => {};
  }
}

async function runInTime({ label, run, deadlineMs }: ShutdownHandler): Promise<void> {
  debug('shutdown: %s', label);
  try {
    const isDone = await inTime(Promise.resolve().then(run), deadlineMs);
    if (!isDone) warn('shutdown: %s takes longer than %d ms, and is left', label, deadlineMs);
  } catch (error) {
    warn('shutdown: could not %s: %O', label, error);
  }
}

/** False when `ms` were over first. */
async function inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
