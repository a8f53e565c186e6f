import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../stand-ins/api.ts';

/** What the engine has said yes to. `maybe` is what was asked when it died: either outcome is right. */
export interface Promised {
  readonly state: 'created' | 'running' | 'stopped' | 'removed';
  readonly maybe: boolean;
}

/**
 * Clients that create, start, stop, exec, follow logs and load, each as fast as it is answered, and remember what was
 * acknowledged. Every container counts upwards in its log once a hundredth of a second.
 */
export class Load {
  readonly promised = new Map<string, Promised>();
  /** Answers that were errors though the engine was there. */
  readonly refusals: string[] = [];
  readonly #host: string;
  readonly #archive: string;
  #isOver = false;

  constructor(host: string, archive: string) {
    this.#host = host;
    this.#archive = archive;
  }

  async run(): Promise<void> {
    this.#isOver = false;
    await Promise.all([this.#lives(), this.#lives(), this.#lives(), this.#execs(), this.#follows(), this.#loads()]);
  }

  stop(): void {
    this.#isOver = true;
  }

  async #lives(): Promise<void> {
    const api = new Api(this.#host);
    while (!this.#isOver) {
      await this.#attempt(async () => {
        const id = await api.create('busybox', [
          'sh',
          '-c',
          'i=0; while :; do echo $i; i=$((i+1)); usleep 10000; done',
        ]);
        this.promised.set(id, { state: 'created', maybe: false });
        await this.#step(id, 'running', () => api.start(id));
        await sleep(Math.random() * 100);
        if (Math.random() < 0.7)
          await this.#step(id, 'stopped', () => api.call('POST', `/v1.41/containers/${id}/kill`));
        if (Math.random() < 0.7) await this.#step(id, 'removed', () => api.remove(id));
      });
    }
    api.close();
  }

  async #execs(): Promise<void> {
    const api = new Api(this.#host);
    while (!this.#isOver) {
      const id = this.#one('running');
      if (id !== null) await this.#attempt(() => api.exec(id, ['true']), true);
      await sleep(5);
    }
    api.close();
  }

  async #follows(): Promise<void> {
    const api = new Api(this.#host);
    while (!this.#isOver) {
      const id = this.#one('running');
      const path = `/v1.41/containers/${id}/logs?stdout=1&follow=1&tail=5`;
      if (id !== null) await this.#attempt(() => Promise.race([api.call('GET', path), sleep(50)]), true);
      await sleep(20);
    }
    api.close();
  }

  async #loads(): Promise<void> {
    while (!this.#isOver) {
      await new Promise<void>((resolve) => {
        execFile('docker', ['-H', this.#host, 'load', '-q', '-i', this.#archive], () => resolve());
      });
      await sleep(100);
    }
  }

  /** Between the question and the answer either is right. */
  async #step(id: string, state: Promised['state'], ask: () => Promise<unknown>): Promise<void> {
    this.promised.set(id, { state, maybe: true });
    await ask();
    this.promised.set(id, { state, maybe: false });
  }

  #one(state: Promised['state']): string | null {
    const ids = [...this.promised].filter(([, each]) => each.state === state && !each.maybe).map(([id]) => id);
    return ids[Math.floor(Math.random() * ids.length)] ?? null;
  }

  /** A connection that broke is what a kill looks like; an answer that is an error is not, unless somebody raced us. */
  async #attempt(step: () => Promise<unknown>, mayBeGone = false): Promise<void> {
    try {
      await step();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isAnswer = /: \d{3} /.test(message);
      if (isAnswer && !(mayBeGone && /: (404|409) /.test(message))) this.refusals.push(message);
      if (!isAnswer) await sleep(20);
    }
  }
}
