import type { EngineEvent } from '../api/system.ts';

/** The last 256 events, and whoever is listening. */
export declare class Events {
  emit(event: Omit<EngineEvent, 'scope' | 'timeNano'>): EngineEvent;
  past(): readonly EngineEvent[];
  /** Returns how to stop. A listener is called at once, in order. */
  listen(listener: (event: EngineEvent) => void): () => void;
}
