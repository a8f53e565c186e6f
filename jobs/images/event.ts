import type { Image } from '../../api/image.ts';
import type { Events } from '../../state/events.ts';

/** Tells the world what happened to an image. As in Docker, an event has the image's labels and a name. */
export function emitImageEvent(
  events: Events,
  image: Image,
  action: 'delete' | 'import' | 'load' | 'tag' | 'untag',
  name: string,
): void {
  const attributes: Record<string, string> = Object.assign(Object.create(null), image.config.config.Labels);
  attributes['name'] = name;
  events.emit({ Type: 'image', Action: action, Actor: { ID: image.id, Attributes: attributes } });
}
