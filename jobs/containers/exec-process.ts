/** (pure) An exec as the `process` of an OCI spec: the container's own, with what the exec says for itself. */
import { posix } from 'node:path';
import { capabilitiesFor } from '../../api/capabilities.ts';
import type { ExecConfig } from '../../api/container.ts';
import { InvalidParameter } from '../../api/errors.ts';
import type { OciProcess } from '../../api/oci.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Host } from '../host.ts';
import { environmentOf, processOf } from './spec.ts';

/** Fails with InvalidParameter for a working directory that is not absolute. */
export function execProcess(container: ContainerRecord, config: ExecConfig, host: Host): OciProcess {
  const own = processOf(container, host);
  const cwd = config.WorkingDir || own.cwd;
  if (!posix.isAbsolute(cwd)) {
    throw new InvalidParameter('OCI runtime exec failed: exec failed: Cwd must be an absolute path: unknown');
  }
  const env = [...(container.Config.Env ?? []), ...(config.Env ?? [])];
  const powers = config.Privileged ? capabilitiesFor([], [], true) : null;
  return {
    ...own,
    terminal: config.Tty,
    args: config.Cmd ?? [],
    env: environmentOf(env, container.Config.Hostname, config.Tty),
    cwd,
    ...(powers === null
      ? {}
      : { capabilities: { ...own.capabilities, bounding: powers, effective: powers, permitted: powers } }),
  };
}
