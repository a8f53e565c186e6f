import { Engine } from '../../engine/engine.ts';
import type { Handler } from '../../engine/job.ts';
import { flag, object, optional, text } from '../../std/decode.ts';

/** A small job table: an engine knows nothing of containers. */
export interface Greetings {
  commands: { args: []; env: Readonly<Record<never, never>>; result: string[] };
  greet: { args: [name: string, greeting?: string]; env: { loud: boolean }; result: string };
  /** stdin → stdout */
  cat: { args: []; env: Readonly<Record<never, never>>; result: number };
  /** Ends when its signal is raised. */
  wait: { args: []; env: Readonly<Record<never, never>>; accept: 'waiting'; result: null };
  fail: { args: [words: string]; env: Readonly<Record<never, never>>; result: null };
}
export type GreetingHandler<Name extends keyof Greetings> = Handler<Greetings[Name], Greetings>;
export type GreetingEngine = Engine<Greetings>;

const none = object({});

export const greet: GreetingHandler<'greet'> = async (job) => {
  const [name, greeting = 'hello'] = job.args;
  const words = `${greeting} ${name}`;
  await job.stdout.write(`${words}\n`);
  return job.env.loud ? words.toUpperCase() : words;
};

export const untilCancelled: GreetingHandler<'wait'> = (job) =>
  new Promise((_resolve, reject) => {
    job.accept('waiting');
    job.signal.addEventListener('abort', () => reject(job.signal.reason), { once: true });
  });

/** An engine with those of the jobs that need no more said. */
export function greetingEngine(): GreetingEngine {
  const engine = new Engine<Greetings>();
  engine.register('greet', {
    summary: 'Greets',
    usage: '<name> [greeting]',
    env: object({ loud: optional(flag, false) }),
    stdout: 'the greeting',
    aliases: ['hi'],
    handler: greet,
  });
  engine.register('cat', {
    summary: 'Copies',
    usage: '',
    env: none,
    stdin: 'bytes',
    stdout: 'the same',
    handler: async (job) => {
      let size = 0;
      for await (const chunk of job.stdin) {
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        await job.stdout.write(bytes);
      }
      return size;
    },
  });
  engine.register('wait', { summary: 'Waits', usage: '', env: none, handler: untilCancelled });
  engine.register('fail', {
    summary: 'Fails, as a bug does',
    usage: '<words>',
    env: none,
    handler: async (job) => {
      throw new TypeError(text(job.args[0], 'words'));
    },
  });
  return engine;
}
