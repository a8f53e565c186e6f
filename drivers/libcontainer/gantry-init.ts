import { readFile } from 'node:fs/promises';
import { builtFile } from './kernel/binding.ts';
import { close, sealedExecutable } from './kernel/descriptors.ts';
import { type Spawned, spawn } from './kernel/process.ts';

/**
 * The static program of native/, in sealed memory: what runs beside a container can neither change it nor reach the file
 * on disk through /proc/<pid>/exe, and an upgrade of the file does not meet a running daemon. One a daemon.
 */
export class GantryInit implements Disposable {
  #executable: number | null;

  private constructor(executable: number) {
    this.#executable = executable;
  }

  static async load(path: string = builtFile('gantry-init')): Promise<GantryInit> {
    return new GantryInit(sealedExecutable('gantry-init', await readFile(path)));
  }

  /**
   * Starts a sub-command with an empty environment; `fds[i]` becomes its descriptor i, null is /dev/null. Our own copies
   * stay open, and have to until it runs. The caller takes the pidfd on: `ended(pidfd)`.
   */
  async spawn(words: readonly string[], fds: readonly (number | null)[]): Promise<Spawned> {
    if (this.#executable === null) throw new Error('gantry-init was let go of');
    return spawn({ executable: this.#executable, argv: ['gantry-init', ...words], env: [], fds });
  }

  /** What runs goes on. */
  [Symbol.dispose](): void {
    if (this.#executable !== null) close(this.#executable);
    this.#executable = null;
  }
}
