/**
 * What the engine has said yes to. Between a question and its answer either outcome is right; after the answer one is.
 */
export type Status = 'created' | 'running' | 'paused' | 'exited' | 'gone';

/** How a container ends and begins: `again` ends by itself every now and then and has `unless-stopped`. */
export type Kind = 'plain' | 'rm' | 'again';

export interface Container {
  readonly kind: Kind;
  /** Null as long as nobody has told. */
  id: string | null;
  /** One of these. */
  names: readonly string[];
  statuses: readonly Status[];
  /** Ids of execs that run until their container ends. */
  readonly execs: Set<string>;
  /** Lines of its log that somebody has seen. */
  lines: number;
}

export class Model {
  readonly containers = new Set<Container>();
  /** By tag, what the image's file says; null for a tag that may be there or not. */
  readonly images = new Map<string, { readonly content: string; isThere: boolean | null }>();
  #count = 0;
  #acknowledged = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** A name nobody had before. */
  name(): string {
    this.#count++;
    return `chaos${this.#count}`;
  }

  /** Asks for what turns `thing` from what it is into what `after` says; in between it is either. */
  async container<T>(thing: Container, after: Partial<Container>, ask: () => Promise<T>): Promise<T> {
    const { names, statuses } = thing;
    thing.names = [...names, ...(after.names ?? [])];
    thing.statuses = [...statuses, ...(after.statuses ?? [])];
    const answer = await ask();
    thing.names = after.names ?? names;
    thing.statuses = after.statuses ?? statuses;
    this.#acknowledged++;
    return answer;
  }

  async image(tag: string, content: string, isThere: boolean, ask: () => Promise<unknown>): Promise<void> {
    this.images.set(tag, { content, isThere: null });
    await ask();
    this.images.set(tag, { content, isThere });
    this.#acknowledged++;
  }

  acknowledge(): void {
    this.#acknowledged++;
  }

  /** Those that are surely in one of these states. */
  in(...statuses: readonly Status[]): Container[] {
    return [...this.containers].filter((each) => each.statuses.every((status) => statuses.includes(status)));
  }
}
