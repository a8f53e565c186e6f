/** What comes before the first request: the records are made true again. There is no other way to start. */
import createDebug from 'debug';
import { execConfig } from '../api/container.ts';
import { type ChainID, topChain } from '../api/ids.ts';
import type { Image } from '../api/image.ts';
import type { Adopted } from '../drivers/exec/driver.ts';
import type { Daemon } from './daemon.ts';

const debug = createDebug('gantry:jobs:recover');

/**
 * Takes over the monitors that a former daemon left, settles containers and execs that ended meanwhile, and drops layers
 * that nobody names any more.
 */
export async function recover(daemon: Daemon): Promise<void> {
  const { containers, exec, images, layers, references, supervisor, volumes } = daemon;
  const adopted = await exec.adopt();
  debug('%d monitors or their remains', adopted.length);
  await volumes.settleDrafts((id) => containers.damaged.length > 0 || containers.find(id) !== null);
  await images.settleLoose((id) => references.of(id).length > 0);
  await layers.sweep(
    images.list().flatMap(topOf),
    containers.list().map((record) => ({ layer: record.Layer, top: record.Chain })),
    containers.damaged.length === 0 && images.damaged.length === 0,
  );
  await supervisor.restore(adopted);
  for (const each of adopted) if (each.kind === 'exec') restoreExec(each, daemon);
}

function topOf(image: Image): { image: Image['id']; top: ChainID }[] {
  const top = topChain(image.diffIDs);
  return top === null ? [] : [{ image: image.id, top }];
}

/** How it was asked for is not known any more; that it runs, and later how it ended, is. */
function restoreExec({ id, container, outcome }: Adopted & { kind: 'exec' }, { containers, execs }: Daemon): void {
  if (!('process' in outcome) || containers.find(container) === null) return;
  const { process } = outcome;
  const record = { ID: id, ContainerID: container, Config: execConfig({}, 'exec') };
  execs.add({ ...record, State: { status: 'running', pid: process.pid } });
  execs.running(id, process);
  void process.exited.then(({ code }) => {
    execs.save({ ...record, State: { status: 'exited', pid: process.pid, exitCode: code } });
  });
}
