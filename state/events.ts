import type { EngineEvent } from '../api/system.ts';
import { now } from '../std/timestamp.ts';

/** Docker's own bound (daemon/events, `eventsLimit`). */
const KEPT = 256;

/** The last 256 events, and whoever is listening. */
export class Events {
  readonly #past: EngineEvent[] = [];
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #untold: EngineEvent[] = [];
  #isTelling = false;
  #lastNano = 0n;

  /** Stamps the event, later than any before it, and tells it. One emitted by a listener is told after the present one. */
  emit(event: Omit<EngineEvent, 'scope' | 'timeNano'>): EngineEvent {
    const instant = now();
    this.#lastNano = instant > this.#lastNano ? instant : this.#lastNano + 1n;
    const stamped: EngineEvent = { ...event, scope: 'local', timeNano: this.#lastNano };
    this.#past.push(stamped);
    if (this.#past.length > KEPT) this.#past.shift();
    this.#untold.push(stamped);
    this.#tell();
    return stamped;
  }

  past(): readonly EngineEvent[] {
    return [...this.#past];
  }

  /** Returns how to stop. A listener is called at once, in order. */
  listen(listener: (event: EngineEvent) => void): () => void {
    const mine = (event: EngineEvent) => listener(event);
    this.#listeners.add(mine);
    return () => this.#listeners.delete(mine);
  }

  /** How many listen. */
  get listeners(): number {
    return this.#listeners.size;
  }

  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let event = this.#untold.shift(); event; event = this.#untold.shift()) {
        for (const listener of [...this.#listeners]) listener(event);
      }
    } finally {
      this.#isTelling = false;
    }
  }
}
