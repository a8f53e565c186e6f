import type { ContainerID } from '../../api/ids.ts';
import type { Exit, Process } from '../../drivers/exec/driver.ts';

/**
 * What goes on after the job that started a container has ended: its exit, its restart policy, its removal. It runs jobs
 * like any client.
 */
export declare class Supervisor {
  /** From now on the process's exit is this supervisor's affair. */
  adopt(id: ContainerID, process: Process): void;
  process(id: ContainerID): Process | null;
  /** At start: settles the records of containers whose process ended while no daemon was there. */
  settle(id: ContainerID, exit: Exit): Promise<void>;
}
