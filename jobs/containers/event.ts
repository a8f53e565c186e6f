import type { ContainerRecord } from '../../state/container-record.ts';
import type { Events } from '../../state/events.ts';

/**
 * Tells the world what happened to a container. As in Docker, an event has the container's labels, its image and name,
 * and what belongs to the action (`exitCode`, `signal`, `execID`).
 */
export function emitContainerEvent(
  events: Events,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const attributes: Record<string, string> = Object.assign(Object.create(null), record.Config.Labels, extra);
  if (record.Config.Image !== '') attributes['image'] = record.Config.Image;
  attributes['name'] = record.Name;
  events.emit({ Type: 'container', Action: action, Actor: { ID: record.ID, Attributes: attributes } });
}
