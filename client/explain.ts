/** `gantry explain run …`: what `docker run` with these flags would have the kernel do. Nothing is made. */
import { type Command, Option } from 'commander';
import type { JobEnd } from '../api/job-end.ts';
import { anything, list, object, record, text } from '../std/decode.ts';
import type { Http } from './http.ts';
import { type Draft, RUN_FLAGS } from './run-flags.ts';
import { runJob } from './run-job.ts';
import { print, type Terminal } from './terminal.ts';

const explanation = object({
  spec: anything,
  program: list(object({ owner: text, op: text, args: record(anything) })),
});

/** Characters of one argument. */
const MAX_SHOWN = 160;

/** Adds the flags of `docker run` to a command; they end at the image. Returns what they make. */
export function withRunFlags(command: Command, env: NodeJS.ProcessEnv): Draft {
  const draft: Draft = { name: null, config: {}, hostConfig: {}, env };
  for (const { flags, apply } of RUN_FLAGS) {
    const isSwitch = !flags.includes('<');
    command.addOption(
      new Option(flags).argParser((value: string) => {
        apply(draft, value);
        return true;
      }),
    );
    if (isSwitch) command.on(`option:${flags.replace(/^.*--/, '')}`, () => apply(draft, ''));
  }
  return draft;
}

/** `words`: the image, and the command where one is given. Resolves to the exit status. */
export async function explain(
  http: Http,
  terminal: Terminal,
  draft: Draft,
  words: readonly string[],
  isJSON: boolean,
): Promise<number> {
  const end = await runJob(
    http,
    { name: 'explain', args: draft.name === null ? [] : [draft.name], env: bodyOf(draft, words), stdin: null },
    terminal,
  );
  if (end.error !== null) {
    await print(terminal.stderr, `Error response from daemon: ${end.error.message}\n`);
    return 125;
  }
  await print(terminal.stdout, isJSON ? `${JSON.stringify(end.result, null, 2)}\n` : readable(end));
  return 0;
}

/** The body of the create that `docker run` would send. */
function bodyOf({ config, hostConfig }: Draft, [image = '', ...command]: readonly string[]): object {
  const isInteractive = config['OpenStdin'] === true;
  return {
    ...config,
    Image: image,
    ...(command.length > 0 && { Cmd: command }),
    ...(isInteractive && { StdinOnce: true, AttachStdin: true }),
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: hostConfig,
  };
}

function readable({ result }: JobEnd): string {
  const { spec, program } = explanation(result, 'explanation');
  const lines = [
    'OCI runtime spec',
    '',
    JSON.stringify(spec, null, 2),
    '',
    `Kernel program, ${program.length} operations`,
    '',
  ];
  const owners = Math.max(0, ...program.map(({ owner }) => owner.length));
  const ops = Math.max(0, ...program.map(({ op }) => op.length));
  program.forEach(({ owner, op, args }, index) => {
    const number = String(index + 1).padStart(String(program.length).length);
    lines.push(`${number}  ${owner.padEnd(owners)}  ${op.padEnd(ops)}  ${wordsOf(args)}`.trimEnd());
  });
  return `${lines.join('\n')}\n`;
}

function wordsOf(args: Readonly<Record<string, unknown>>): string {
  return Object.entries(args)
    .map(
      ([name, value]) =>
        `${name}=${shortened(typeof value === 'string' && isPlain(value) ? value : JSON.stringify(value))}`,
    )
    .join(' ');
}

const isPlain = (text: string): boolean => /^[^\s"=]+$/.test(text);

/** A seccomp filter has thousands of bytes: `--json` shows them. */
function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)`;
}
