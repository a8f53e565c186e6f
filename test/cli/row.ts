/**
 * What users type, as a table: each row is a shell script run with the official `docker` CLI against dockerd and against
 * gantryd; both must print the same and exit alike, ids and times aside. `$CLI` is docker; images `busybox:latest` and
 * `app:latest` are loaded; containers that a row leaves behind are removed after it.
 */
export interface Row {
  readonly name: string;
  readonly script: string;
  /** What it shows depends on the machine (its cgroups, processors, links): compared with dockerd on the spot only. */
  readonly ofThisMachine: boolean;
}

export const row = (name: string, script: string): Row => ({ name, script, ofThisMachine: false });
export const local = (name: string, script: string): Row => ({ name, script, ofThisMachine: true });
