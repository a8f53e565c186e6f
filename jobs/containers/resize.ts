/**
 * resize — tells a container's terminal its size. One that does not run remembers it for its next start, and says 409 as
 * Docker does: the CLI then asks again.
 *
 *   emits    resize
 *   fails    InvalidParameter (no numbers), NoSuchContainer, Conflict (not running)
 *   source   Docker Engine API, ContainerResize; dockerd's daemon/resize.go
 */
import { NotRunning } from '../../api/errors.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { parseConsoleSize } from './console-size.ts';
import { emitContainerEvent } from './event.ts';
import type { Running } from './running.ts';

type Deps = Running & Pick<Daemon, 'containers' | 'attachments' | 'events'>;

export const resize =
  (deps: Deps): JobHandler<'resize'> =>
  async (job) => {
    const [reference, height, width] = job.args;
    const size = parseConsoleSize(height, width);
    const record = deps.containers.get(reference);
    const process = deps.supervisor.process(record.ID);
    if (process === null) {
      deps.attachments.resize(record.ID, size);
      throw new NotRunning(record.ID);
    }
    process.resize(...size);
    emitContainerEvent(deps.events, record, 'resize', { height: String(size[0]), width: String(size[1]) });
    return null;
  };
