import createDebug from 'debug';

const warn = createDebug('gantry:warn:undo');

/**
 * Undo is the defer stack of anything that makes several things in order.
 *
 *   await using undo = new Undo();
 *   names.reserve(name, id);
 *   undo.defer(`release the name ${name}`, () => names.release(name));
 *   …
 *   undo.keep();                 // all is well
 *
 * Leaving the block without `keep()` runs the steps, last one first. A step that fails is told to the operator; it
 * neither stops the others nor hides the error that ended the block. (A labelled AsyncDisposableStack, which Node 20
 * lacks.)
 */
export class Undo implements AsyncDisposable {
  #steps: { readonly label: string; readonly run: () => unknown }[] = [];

  defer(label: string, run: () => unknown): void {
    this.#steps.push({ label, run });
  }

  /** Takes over something disposable, and hands it back for use. */
  use<T extends AsyncDisposable>(label: string, thing: T): T {
    this.defer(label, () => thing[Symbol.asyncDispose]());
    return thing;
  }

  /** Keeps what was made. The steps pass to the Undo returned, for its owner to run one day. */
  keep(): Undo {
    const later = new Undo();
    later.#steps = this.#steps;
    this.#steps = [];
    return later;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        warn('could not %s: %O', step.label, error);
      }
    }
  }
}
