/** Which events a caller wants (`docker events --filter`), by dockerd's rules (daemon/events/filter.go). */
import { type Filters, matchesAny } from '../../api/filters.ts';
import type { EngineEvent } from '../../api/system.ts';

/** Actions with more behind a colon: they match by prefix when asked for without it. */
const OPEN_ENDED = ['health_status', 'exec_create', 'exec_start'];

export function wants(filters: Filters, event: EngineEvent): boolean {
  return (
    matchesAction(filters, event) &&
    isOneOf(filters, 'type', [event.Type]) &&
    isOneOf(filters, 'scope', [event.scope]) &&
    ['daemon', 'container', 'plugin', 'volume', 'network', 'node', 'service', 'secret', 'config'].every((kind) =>
      namesActor(filters, kind, event),
    ) &&
    isOneOf(filters, 'image', imageNames(event)) &&
    hasLabels(filters, event)
  );
}

function matchesAction(filters: Filters, event: EngineEvent): boolean {
  const asked = filters.get('event');
  if (asked === undefined || asked.length === 0) return true;
  if (!asked.some((word) => OPEN_ENDED.includes(word))) return asked.includes(event.Action);
  return asked.some((word) => event.Action.startsWith(word));
}

function isOneOf(filters: Filters, key: string, names: readonly string[]): boolean {
  return matchesAny(filters, key, (word) => names.includes(word));
}

/** `container=web`: by name or id, a prefix will do. It leaves out events of other kinds. */
function namesActor(filters: Filters, kind: string, { Type, Actor }: EngineEvent): boolean {
  const asked = filters.get(kind);
  if (asked === undefined || asked.length === 0) return true;
  if (Type !== kind) return false;
  return asked.some((word) => Actor.ID.startsWith(word) || (Actor.Attributes['name'] ?? '').startsWith(word));
}

/** An image's id and name, with and without its tag. */
function imageNames({ Type, Actor }: EngineEvent): string[] {
  const name = Actor.Attributes[Type === 'image' ? 'name' : 'image'] ?? '';
  return [Actor.ID, name, withoutTag(Actor.ID), withoutTag(name)];
}

function withoutTag(name: string): string {
  return name.replace(/:[^:/@]*$/, '');
}

function hasLabels(filters: Filters, { Actor }: EngineEvent): boolean {
  return (filters.get('label') ?? []).every((asked) => {
    const split = asked.indexOf('=');
    const key = split < 0 ? asked : asked.slice(0, split);
    if (!Object.hasOwn(Actor.Attributes, key)) return false;
    return split < 0 || Actor.Attributes[key] === asked.slice(split + 1);
  });
}
