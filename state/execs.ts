import type { ExecRecord } from '../api/container.ts';
import type { ContainerID, ExecID } from '../api/ids.ts';
import type { Process } from '../drivers/exec/driver.ts';

/** Extra processes of containers: in memory only; a daemon that restarts finds the running ones by their monitors. */
export declare class Execs {
  add(record: ExecRecord): void;
  /** By id or unique prefix. Fails with NoSuchExec. */
  get(reference: string): ExecRecord;
  of(container: ContainerID): ExecRecord[];
  save(record: ExecRecord): void;
  process(id: ExecID): Process | null;
  running(id: ExecID, process: Process): void;
  /** Ended ones are kept for a while so that their code can be asked for, then forgotten; at once with their container. */
  removeAll(container: ContainerID): void;
}
