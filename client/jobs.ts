/** `gantry jobs` and `gantry job`: what the engine can do, and any of it run from here. */
import { type JobContract, jobContract } from '../api/contract.ts';
import { list } from '../std/decode.ts';
import { envOf } from './env.ts';
import type { Http } from './http.ts';
import { runJob } from './run-job.ts';
import { print, type Terminal } from './terminal.ts';

export interface JobFlags {
  readonly env: readonly string[];
  /** Send stdin also to a job that does not say it reads it. */
  readonly interactive: boolean;
  /** Keys go to the job as they are pressed. */
  readonly tty: boolean;
  /** Print the result also of a job that has a stdout of its own. */
  readonly result: boolean;
}

/** One line a job; with `isLong` all of its contract. */
export async function jobs(http: Http, terminal: Terminal, isLong: boolean): Promise<number> {
  const contracts = await contractsOf(http);
  const lines = contracts.map((contract) => [`${contract.name} ${contract.usage}`.trim(), contract] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  for (const [line, contract] of lines) {
    await print(terminal.stdout, `${line.padEnd(width)}  ${contract.summary}\n`);
    if (isLong) for (const detail of detailsOf(contract)) await print(terminal.stdout, `    ${detail}\n`);
  }
  return 0;
}

function detailsOf({ env, stdin, stdout, stderr, aliases }: JobContract): string[] {
  return [
    ...(env.length > 0 ? [`env     ${env.join(' ')}`] : []),
    ...(stdin !== null ? [`stdin   ${stdin}`] : []),
    ...(stdout !== null ? [`stdout  ${stdout}`] : []),
    ...(stderr !== null ? [`stderr  ${stderr}`] : []),
    ...(aliases.length > 0 ? [`also    ${aliases.join(' ')}`] : []),
  ];
}

/** Runs a job; resolves to its exit status. */
export async function job(
  http: Http,
  terminal: Terminal,
  [name = '', ...args]: readonly string[],
  flags: JobFlags,
): Promise<number> {
  const env = envOf(flags.env);
  const contract = (await contractsOf(http)).find((each) => each.name === name || each.aliases.includes(name));
  const wantsStdin = flags.interactive || flags.tty || typeof contract?.stdin === 'string';
  const isRaw = flags.tty && terminal.stdin.isTTY === true;
  if (isRaw) terminal.stdin.setRawMode?.(true);
  try {
    const { status, result, error } = await runJob(
      http,
      { name, args, env, stdin: wantsStdin ? terminal.stdin : null },
      terminal,
    );
    if (error !== null) await print(terminal.stderr, `Error response from daemon: ${error.message}\n`);
    const isShown = flags.result || typeof contract?.stdout !== 'string';
    if (error === null && isShown && result !== null) await print(terminal.stdout, `${textOf(result)}\n`);
    return status;
  } finally {
    if (isRaw) terminal.stdin.setRawMode?.(false);
  }
}

async function contractsOf(http: Http): Promise<JobContract[]> {
  return list(jobContract)(await http.json('/jobs'), 'jobs');
}

/** A word as it is, anything else as JSON. */
function textOf(result: unknown): string {
  return typeof result === 'string' ? result : JSON.stringify(result, null, 2);
}
