/**
 * A policy around jobs that are there: nothing privileged, and only images on a list.
 *
 *   GANTRY_ALLOWED_IMAGES='busybox,registry.corp/tools:*' gantryd --plugin ./create-policy.js
 *
 * It sees what is asked for before anything is made, whoever asks: the docker CLI, `gantry job create`, another job. An
 * image is known by its name, in full; who may give names (`tag`, `load`, `import`) is for another wrapper to say.
 */
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PluginKit } from '../../engine/plugins.ts';

export function install(engine: Engine<JobTable>, kit: PluginKit): void {
  const { Forbidden } = kit.errors;
  const allowed = (process.env['GANTRY_ALLOWED_IMAGES'] ?? '').split(',').filter((word) => word !== '');
  const isAllowed = allowList(kit, allowed);

  engine.wrap('create', (next) => async (job) => {
    const { Image, HostConfig } = job.env;
    if (HostConfig.Privileged) {
      throw new Forbidden('privileged containers are not allowed on this host: leave out --privileged');
    }
    if (!isAllowed(Image)) {
      throw new Forbidden(`image ${Image} is not allowed on this host: use one of ${allowed.join(', ') || '(none)'}`);
    }
    return next(job);
  });

  // A container that is not privileged must not become so by the back door.
  engine.wrap('exec_create', (next) => async (job) => {
    if (job.env.Privileged) {
      throw new Forbidden('privileged processes are not allowed on this host: leave out --privileged');
    }
    return next(job);
  });
}

/** `busybox` allows its `latest`, as everywhere; `busybox:*` every tag. An image id is no name, and never on the list. */
function allowList({ reference }: PluginKit, allowed: readonly string[]): (image: string) => boolean {
  const { canonical, parseReference, withDefaultTag } = reference;
  const everyTag = new Set<string>();
  const exact = new Set<string>();
  for (const word of allowed) {
    if (word.endsWith(':*')) everyTag.add(parseReference(word.slice(0, -2)).name);
    else exact.add(canonical(withDefaultTag(parseReference(word))));
  }
  return (image) => {
    if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return false;
    const asked = withDefaultTag(parseReference(image));
    return everyTag.has(asked.name) || exact.has(canonical(asked));
  };
}
