/**
 * explain — the OCI spec and the kernel program that create and start would run. Nothing of it stays: a read-write layer
 * is made, since a layer's mounts depend on what it stands on, and is removed again.
 *
 * fails   as create
 */
import { join } from 'node:path';
import { newContainerID } from '../../api/ids.ts';
import type { Explanation } from '../../api/jobs.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { recordOf } from './create.ts';
import { type DraftDeps, draftOf } from './draft.ts';
import type { MountRequest } from './mount-request.ts';
import { leaveNetwork, type RunRequestDeps, runRequestFor } from './run-request.ts';

/** Stands for the 64 digits that an anonymous volume would get. */
const ANONYMOUS = 'anonymous';

type Deps = DraftDeps & RunRequestDeps & Pick<Daemon, 'exec' | 'volumes'>;

export const explain =
  (deps: Deps): JobHandler<'explain'> =>
  async (job) => {
    const { exec, layers } = deps;
    const id = newContainerID();
    const draft = await draftOf(job.env, id, deps);

    await using undo = new Undo();
    const layer = await layers.addReadWrite(draft.chain);
    undo.defer(`remove layer ${layer}`, () => layers.removeReadWrite(layer, draft.chain));
    const mounts = draft.mounts.map((request) => mountPointFor(request, deps));
    const name = job.args[0] ?? '';
    const container = recordOf(draft, { id, name, layer, mounts, driver: layers.driverName });
    undo.defer('leave the network', () => leaveNetwork(container, deps));
    const request = await runRequestFor(container, { requests: [], consoleSize: null }, deps);
    const program = await exec.program(request);
    return { spec: request.spec, program: program.map(told) };
  };

/** As create would have it; a volume that is not there yet is named by where it would be. */
function mountPointFor(request: MountRequest, { host, volumes }: Deps) {
  if (request.Type !== 'volume') return { ...request, Name: '' };
  const Name = request.Name ?? ANONYMOUS;
  const Source = volumes.get(Name)?.path ?? join(host.dataRoot, 'volumes', Name, '_data');
  return { ...request, Name, Source };
}

/** JSON has neither bytes nor whole numbers of 64 bits: they are told in base64 and in digits. */
function told({ op, owner, ...args }: Operation): Explanation['program'][number] {
  const readable = Object.entries(args).map(([name, value]: [string, unknown]) => [name, printable(value)]);
  return { owner, op, args: Object.fromEntries(readable) };
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
