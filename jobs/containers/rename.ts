/**
 * rename — give a container another name.
 *
 * locks   container
 * emits   container rename (with oldName)
 * fails   NoSuchContainer · NameInUse · InvalidParameter (empty, bad, or the name it has)
 * source  Docker Engine API, POST /containers/{id}/rename; words of daemon/rename.go
 */
import { InvalidParameter } from '../../api/errors.ts';
import { Undo } from '../../std/undo.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { naming } from '../naming.ts';
import { emitContainerEvent } from './event.ts';

type Deps = Pick<Daemon, 'containers' | 'events'>;

export const rename =
  ({ containers, events }: Deps): JobHandler<'rename'> =>
  async (job) => {
    const [reference, asked] = job.args;
    const name = asked.replace(/^\//, '');
    if (reference === '' || name === '') throw new InvalidParameter('Neither old nor new names may be empty');
    const { ID: id } = containers.get(reference);
    await using _turn = await containers.lock.acquire(id, job.signal);
    const container = containers.get(id);
    if (container.Name === name) {
      throw new InvalidParameter('Renaming a container with the same name as its current name');
    }

    await using undo = new Undo();
    await naming('Error when allocating new name', async () => containers.reserveName(`/${name}`, id));
    undo.defer(`release the name ${name}`, () => containers.releaseName(name, id));
    const renamed = { ...container, Name: name };
    await containers.save(renamed);
    undo.keep();

    emitContainerEvent(events, renamed, 'rename', { oldName: `/${container.Name}` });
    return null;
  };
