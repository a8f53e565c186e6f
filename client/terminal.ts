import type { Readable, Writable } from 'node:stream';

/** What a command sees of the world. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
}

/** Resolves when `stream` has taken the text and has room for more. A reader that has gone away wants no more: no error. */
export function print(stream: Writable, text: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}
