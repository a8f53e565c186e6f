import { NotImplemented } from '../../api/errors.ts';
import type { LogBatch, LogRequest } from '../../drivers/log/driver.ts';
import type { ContainerRecord } from '../../state/container-record.ts';
import type { Daemon } from '../daemon.ts';

export type LogDeps = Pick<Daemon, 'containers' | 'logs' | 'host'>;

/** A container's log together with the driver that reads it. */
export interface ReadableLog {
  read(request: LogRequest): AsyncIterable<LogBatch>;
  /** What `--details` shows. */
  attributes(): Readonly<Record<string, string>>;
}

/** Fails with NotImplemented where the container's log driver keeps nothing. */
export function readableLog({ logs, host }: Pick<LogDeps, 'logs' | 'host'>, record: ContainerRecord): ReadableLog {
  const { Type, Config } = record.HostConfig.LogConfig;
  const driver = logs.get(Type === '' ? host.defaultLogDriver : Type);
  const read = driver?.read ?? null;
  if (driver === undefined || read === null) {
    throw new NotImplemented('configured logging driver does not support reading');
  }
  const subject = {
    id: record.ID,
    name: record.Name,
    imageID: record.ImageID,
    imageName: record.Config.Image,
    labels: record.Config.Labels ?? {},
    env: record.Config.Env ?? [],
  };
  return {
    read: (request) => read(record.LogPath, request),
    attributes: () => driver.attributes(Config, subject),
  };
}
