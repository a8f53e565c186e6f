/**
 * exec_inspect — what is known of an exec: `docker exec` takes its exit status from here.
 *
 *   fails    NoSuchExec
 *   source   Docker Engine API, ExecInspect
 */
import type { ExecRecord } from '../../state/execs.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { parseDetachKeys } from './detach-keys.ts';

export const execInspect =
  ({ execs }: Pick<Daemon, 'execs'>): JobHandler<'exec_inspect'> =>
  async (job) => {
    const { ID, ContainerID, Config, State } = execs.get(job.args[0]);
    const [entrypoint = '', ...rest] = Config.Cmd ?? [];
    return {
      ID,
      Running: State.status === 'running',
      ExitCode: State.status === 'exited' ? State.exitCode : null,
      ProcessConfig: {
        tty: Config.Tty,
        entrypoint,
        arguments: rest,
        privileged: Config.Privileged,
        ...(Config.User === '' ? {} : { user: Config.User }),
      },
      OpenStdin: Config.AttachStdin,
      OpenStderr: Config.AttachStderr,
      OpenStdout: Config.AttachStdout,
      CanRemove: false,
      ContainerID,
      DetachKeys: Buffer.from(parseDetachKeys(Config.DetachKeys) ?? []).toString('base64'),
      Pid: pidOf(State),
    };
  };

function pidOf(state: ExecRecord['State']): number {
  return state.status === 'created' ? 0 : state.pid;
}
