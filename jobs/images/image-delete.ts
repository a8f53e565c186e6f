/**
 * image_delete — take a name from an image, or all of it; with its last name goes the image, and with it the layers that
 * nothing else stands on. `noprune` keeps dockerd from removing untagged parents, the steps of a build: there are none here
 * yet, so it changes nothing.
 *
 * locks   the image
 * reads   containers
 * emits   image untag, image delete
 * fails   NoSuchImage · Conflict: a container uses it, several repositories name it
 * source  Docker Engine API, DELETE /images/{name}; moby, daemon/images/image_delete.go
 */
import { Conflict } from '../../api/errors.ts';
import { type ImageID, topChain } from '../../api/ids.ts';
import type { DeleteRow, Image } from '../../api/image.ts';
import { familiar, parseReference, type Reference, withDefaultTag } from '../../api/reference.ts';
import { Undo } from '../../std/undo.ts';
import { isUp } from '../containers/life.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import { emitImageEvent } from './event.ts';
import { lockedImage } from './locked-image.ts';

type Deps = Pick<Daemon, 'containers' | 'events' | 'images' | 'layers' | 'references'>;
type Kind = 'running container' | 'reference' | 'stopped container';

/** Why an image has to stay. */
interface Reason {
  /** Not even by force. */
  readonly isHard: boolean;
  /** By a container. */
  readonly isUsed: boolean;
  readonly words: string;
}

export const imageDelete =
  (deps: Deps): JobHandler<'image_delete'> =>
  async (job) => {
    const [given] = job.args;
    const { force } = job.env;
    await using locked = await lockedImage(deps, given, job.signal);
    const { image } = locked;
    await using undo = new Undo();
    undo.defer(`keep image ${image.id}, if it is still there`, () => deps.images.settle(image.id));
    if (isPrefix(image.id, given)) return await deleteByID(deps, image, force);
    return await deleteByName(deps, image, given, force);
  };

async function deleteByName(deps: Deps, image: Image, given: string, force: boolean): Promise<DeleteRow[]> {
  const before = deps.references.of(image.id);
  const [user] = deps.containers.ofImage(image.id);
  if (!force && isSingle(before) && user !== undefined) {
    throw new Conflict(
      `conflict: unable to remove repository reference ${JSON.stringify(given)} (must force) - ` +
        `container ${short(user.ID)} is using its referenced image ${short(image.id)}`,
    );
  }
  const reference = withDefaultTag(parseReference(given));
  if (isSingle(before) && user === undefined) await deps.images.loosen(image.id);
  const rows = [await untag(deps, image, reference)];
  if (reference.digest === null) rows.push(...(await untagDigests(deps, image, reference.name)));
  if (deps.references.of(image.id).length > 0) return rows;
  return [...rows, ...(await deleteUnnamed(deps, image, force, true))];
}

/** Digests of a repository are names of the second rank: they go with its last tag. */
async function untagDigests(deps: Deps, image: Image, name: string): Promise<DeleteRow[]> {
  const siblings = deps.references.of(image.id).filter((each) => each.name === name);
  if (siblings.some(({ digest }) => digest === null)) return [];
  const rows: DeleteRow[] = [];
  for (const sibling of siblings) {
    await deps.references.remove(sibling);
    rows.push({ Untagged: familiar(sibling) });
  }
  return rows;
}

async function deleteByID(deps: Deps, image: Image, force: boolean): Promise<DeleteRow[]> {
  const rows: DeleteRow[] = [];
  const references = deps.references.of(image.id);
  if (isSingle(references)) {
    refuse(
      image,
      reasonToStay(deps, image, force ? ['running container'] : ['running container', 'stopped container']),
    );
    await deps.images.loosen(image.id);
    for (const reference of references) rows.push(await untag(deps, image, reference));
  }
  return [...rows, ...(await deleteUnnamed(deps, image, force, false))];
}

/** `isNameGone`: the user asked for a name to go, which it has; that the image stays for a container needs no word. */
async function deleteUnnamed(deps: Deps, image: Image, force: boolean, isNameGone: boolean): Promise<DeleteRow[]> {
  const kinds: Kind[] = force ? ['running container'] : ['running container', 'reference', 'stopped container'];
  const reason = reasonToStay(deps, image, kinds);
  if (isNameGone && reason?.isUsed) return [];
  refuse(image, reason);
  const rows: DeleteRow[] = [];
  await deps.images.loosen(image.id);
  for (const reference of deps.references.of(image.id)) rows.push(await untag(deps, image, reference));
  await deps.images.remove(image.id);
  const top = topChain(image.diffIDs);
  const gone = top === null ? [] : await deps.layers.release(top, image.id);
  emitImageEvent(deps.events, image, 'delete', image.id);
  return [...rows, { Deleted: image.id }, ...gone.map((chain) => ({ Deleted: chain }))];
}

async function untag({ events, references }: Deps, image: Image, reference: Reference): Promise<DeleteRow> {
  await references.remove(reference);
  emitImageEvent(events, image, 'untag', image.id);
  return { Untagged: familiar(reference) };
}

function reasonToStay({ containers, references }: Deps, { id }: Image, kinds: readonly Kind[]): Reason | null {
  const users = containers.ofImage(id);
  const running = users.find(({ State }) => isUp(State));
  const stopped = users.find(({ State }) => !isUp(State));
  if (kinds.includes('running container') && running !== undefined) {
    return { isHard: true, isUsed: true, words: `image is being used by running container ${short(running.ID)}` };
  }
  if (kinds.includes('reference') && references.of(id).length > 0) {
    return { isHard: false, isUsed: false, words: 'image is referenced in multiple repositories' };
  }
  if (kinds.includes('stopped container') && stopped !== undefined) {
    return { isHard: false, isUsed: true, words: `image is being used by stopped container ${short(stopped.ID)}` };
  }
  return null;
}

function refuse({ id }: Image, reason: Reason | null): void {
  if (reason === null) return;
  const force = reason.isHard ? 'cannot be forced' : 'must be forced';
  throw new Conflict(`conflict: unable to delete ${short(id)} (${force}) - ${reason.words}`);
}

/** One tag, with the digests of its repository or without; or digests of one repository alone. */
function isSingle(references: readonly Reference[]): boolean {
  const tags = references.filter(({ digest }) => digest === null);
  const digested = new Set(references.filter(({ digest }) => digest !== null).map(({ name }) => name));
  if (tags.length > 1 || references.length === 0) return false;
  const name = (tags[0] ?? references[0])?.name ?? '';
  return references.length === 1 || (digested.size === 1 && digested.has(name));
}

/** The user gave an id, whole or in part, with `sha256:` or without. */
function isPrefix(id: ImageID, given: string): boolean {
  return id.startsWith(given) || id.slice('sha256:'.length).startsWith(given);
}

const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
