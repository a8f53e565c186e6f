import { Command, CommanderError } from 'commander';
import { messageOf } from '../std/thrown.ts';
import { explain, withRunFlags } from './explain.ts';
import { DEFAULT_HOST, hostOf, UsageError } from './host.ts';
import { DaemonError, Http, NoConnection } from './http.ts';
import { job, jobs } from './jobs.ts';
import { print, type Terminal } from './terminal.ts';
import { follow, listRequests, showRequest } from './trace.ts';

/** What the docker CLI ends with when it was itself that failed, and not what it was to run. */
const OWN_FAILURE = 125;

/** Runs one command; resolves to its exit status. `words`: without the program's own name. */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  let status: Promise<number> | number = 0;
  const program = programFor(terminal, (command) => {
    status = command;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return await status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : OWN_FAILURE;
    await print(terminal.stderr, `${wordFor(error)}\n`);
    if (error instanceof DaemonError) return error.exitStatus;
    return error instanceof UsageError || error instanceof NoConnection ? OWN_FAILURE : 1;
  }
}

function wordFor(error: unknown): string {
  if (error instanceof DaemonError || error instanceof NoConnection) return error.message;
  return `gantry: ${messageOf(error)}`;
}

function programFor(terminal: Terminal, run: (command: Promise<number>) => void): Command {
  const program = new Command('gantry')
    .description('Looks into a Gantry daemon, and runs its jobs')
    .option('-H, --host <socket>', `daemon to connect to (default: DOCKER_HOST, or ${DEFAULT_HOST})`)
    .option('--tls', 'use TLS; implied by --tlsverify')
    .option('--tlsverify', 'use TLS and verify the daemon (DOCKER_TLS_VERIFY)')
    .option(
      '--tlscacert <path>',
      'trust certs signed only by this CA (default: ca.pem in DOCKER_CERT_PATH or ~/.docker)',
    )
    .option('--tlscert <path>', 'path to TLS certificate file')
    .option('--tlskey <path>', 'path to TLS key file')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });
  const http = async (): Promise<Http> => new Http(await hostFrom(program, terminal));
  addJobs(program, terminal, http, run);
  addTrace(program, terminal, http, run);
  addExplain(program, terminal, http, run);
  return program;
}

function hostFrom(program: Command, terminal: Terminal) {
  const {
    host = null,
    tls = false,
    tlsverify = false,
    tlscacert = null,
    tlscert = null,
    tlskey = null,
  } = program.opts();
  return hostOf({ host, tls, tlsverify, tlscacert, tlscert, tlskey }, terminal.env);
}

type Connect = () => Promise<Http>;
type Run = (command: Promise<number>) => void;

function addJobs(program: Command, terminal: Terminal, http: Connect, run: Run): void {
  program
    .command('jobs')
    .description('list all jobs with their arguments')
    .option('-l, --long', 'also their env and what their streams carry')
    .action(({ long = false }) => run(http().then((daemon) => jobs(daemon, terminal, long))));
  program
    .command('job <name> [args...]')
    .description('run any job, with arguments, env, stdio and exit status')
    .option(
      '-e, --env <KEY=VALUE>',
      'set env: JSON if it parses, else text; dots lead inside (HostConfig.Memory=64)',
      add,
      [],
    )
    .option('-i, --interactive', 'send stdin also to a job that does not say that it reads it')
    .option('-t, --tty', 'send keys as they are pressed')
    .option('--result', 'print the result also of a job that writes to stdout')
    .action((name, args, { env, interactive = false, tty = false, result = false }) =>
      run(http().then((daemon) => job(daemon, terminal, [name, ...args], { env, interactive, tty, result }))),
    );
}

function addTrace(program: Command, terminal: Terminal, http: Connect, run: Run): void {
  program
    .command('trace [id]')
    .description('what happens in the daemon as it happens, or what happened in one request')
    .option('--last', 'the last finished request')
    .option('--list', 'finished requests that are kept')
    .option('--job <name|id>', 'only requests of this job', '')
    .option('--json', 'as it comes from the daemon')
    .action((id, { last = false, list = false, job: only, json = false }) =>
      run(
        http().then((daemon) => {
          if (list) return listRequests(daemon, terminal);
          if (last || id !== undefined) return showRequest(daemon, terminal, id ?? null, json);
          return follow(daemon, terminal, only, json);
        }),
      ),
    );
}

function addExplain(program: Command, terminal: Terminal, http: Connect, run: Run): void {
  const group = program
    .command('explain')
    .description('show what would be done, and do nothing')
    .enablePositionalOptions();
  for (const name of ['run', 'create']) {
    const command = group
      .command(`${name} <image> [command...]`)
      .description(`the OCI spec and the kernel program of \`docker ${name}\` with the same flags`)
      .helpOption('--help')
      .option('--json', 'as it comes from the daemon')
      .passThroughOptions();
    const draft = withRunFlags(command, terminal.env);
    command.action((image, words, { json = false }) =>
      run(http().then((daemon) => explain(daemon, terminal, draft, [image, ...words], json))),
    );
  }
}

function add(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
