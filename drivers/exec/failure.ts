/**
 * A program that failed, in the words of dockerd 20.10 with runc 1.1. `docker` looks for some of them: 'executable file not
 * found' and 'no such file or directory' make it end with 127, 'permission denied' and 'is a directory' with 126.
 */
import {
  CommandNotExecutable,
  CommandNotFound,
  type EngineError,
  InvalidParameter,
  OperationFailed,
} from '../../api/errors.ts';
import { describe, describeFailure } from '../libcontainer/describe.ts';
import { errnoSymbol, errnoWords } from '../libcontainer/errno.ts';
import type { Failed } from '../libcontainer/monitor.ts';
import { type Operation, SLOT } from '../libcontainer/program.ts';

const NOT_FOUND = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);
const WRONG_KIND =
  ': Are you trying to mount a directory onto a file (or vice-versa)? ' +
  'Check if the specified host path exists and is the expected type';

export type Verb = 'run' | 'exec';
const PREFIX = {
  run: 'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process: ',
} as const;

/** What to tell the user of a FAILED report. */
export function programFailure(verb: Verb, program: readonly Operation[], failed: Failed): EngineError {
  const operation = program[failed.op];
  const symbol = errnoSymbol(failed.errno);
  if (operation === undefined) {
    const words = failed.detail === '' ? errnoWords(failed.errno) : failed.detail;
    return new OperationFailed('monitor', symbol, `${PREFIX[verb]}${words}: unknown`);
  }
  if (operation.op === 'execve') return commandFailure(verb, operation.argv[0] ?? '', symbol, failed);
  // Users and working directories are looked up by the daemon itself in Docker: no runtime's prefix.
  if (operation.op === 'lookup_user')
    return new InvalidParameter(failed.detail || describeFailure(program, failed.op, failed.errno));
  if (operation.op === 'chdir' && verb === 'run' && symbol === 'ENOTDIR') {
    return new InvalidParameter(`Cannot mkdir: ${operation.path} is not a directory`);
  }
  const words = wordsOf(program, operation, failed) ?? describeFailure(program, failed.op, failed.errno);
  // move_mount(2) says EINVAL of a file on a folder.
  const isWrongKind = symbol === 'ENOTDIR' || (operation.op === 'attach_beneath' && symbol === 'EINVAL');
  const hint = isWrongKind ? WRONG_KIND : '';
  return new OperationFailed(describe(operation), symbol, `${PREFIX[verb]}${words}: unknown${hint}`);
}

function commandFailure(verb: Verb, command: string, symbol: string, { errno, detail }: Failed): EngineError {
  const words = detail === '' ? `exec: ${JSON.stringify(command)}: ${errnoWords(errno)}` : detail;
  const message = `${PREFIX[verb]}${words}: unknown`;
  return NOT_FOUND.has(symbol) ? new CommandNotFound(message) : new CommandNotExecutable(message);
}

/** What runc says of the steps that users get wrong; null for others, which tell of themselves. */
function wordsOf(program: readonly Operation[], operation: Operation, failed: Failed): string | null {
  const why = failed.detail === '' ? errnoWords(failed.errno) : failed.detail;
  switch (operation.op) {
    case 'chdir':
      return `chdir to cwd (${JSON.stringify(operation.path)}) set in config.json failed: ${why}`;
    case 'sethostname':
      return `error during container init: sethostname: ${why}`;
    case 'rlimit':
      return `error during container init: error setting rlimits for ready process: error setting rlimit type ${operation.resource}: ${why}`;
    case 'write_beneath': {
      const path = operation.root === SLOT.proc ? `/proc/${operation.path}` : operation.path;
      const step = errnoSymbol(failed.errno) === 'ENOENT' ? 'open' : 'write';
      return `error during container init: ${step} ${path}: ${why}`;
    }
    case 'attach_beneath':
      return mountWords(sourceOf(program, operation.slot), operation.target, why);
    case 'mount_beneath':
      return mountWords(operation.source, operation.target, why);
    case 'clone_tree':
      return `error during container init: error mounting ${JSON.stringify(operation.path)}: ${why}`;
    default:
      return null;
  }
}

function mountWords(source: string, target: string, why: string): string {
  const quoted = `${JSON.stringify(source)} to rootfs at ${JSON.stringify(target)}`;
  return `error during container init: error mounting ${quoted}: mount ${source}:${target}: ${why}`;
}

/** Where the mount in a slot came from. */
function sourceOf(program: readonly Operation[], slot: number): string {
  const clone = program.find((operation) => operation.op === 'clone_tree' && operation.slot === slot);
  return clone?.op === 'clone_tree' ? clone.path : `slot ${slot}`;
}

/** A warning for the user: an operation that failed and was allowed to. */
export function warningOf(
  program: readonly Operation[],
  warning: { readonly op: number; readonly errno: number },
): string {
  const operation = program[warning.op];
  if (operation?.op === 'write') {
    if (operation.path.endsWith('/memory.memsw.limit_in_bytes') || operation.path.endsWith('/memory.swap.max')) {
      return 'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
    }
    if (operation.path.endsWith('.weight')) {
      return 'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.';
    }
  }
  return describeFailure(program, warning.op, warning.errno);
}
