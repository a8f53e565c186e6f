/**
 * busybox-image FILE — writes a docker-archive with the image `busybox:latest`, made of this machine's static
 * /bin/busybox: for the demo and the tests, where there is no registry. `docker load -i FILE` takes it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { dockerArchive, type ImageSpec, type TarEntry, tarOf } from './image-archive.ts';

const BUSYBOX = '/bin/busybox';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const FOLDERS = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'usr', 'usr/bin', 'usr/sbin', 'var'];
const MODES: Readonly<Record<string, number>> = { root: 0o700, tmp: 0o1777 };
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n' +
    'www-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  'etc/group': 'root:x:0:\ndaemon:x:1:\nwheel:x:10:root\nwww-data:x:33:\nusers:x:100:nobody\nnobody:x:65534:\n',
};

export interface BusyboxVariant {
  /** Defaults to `busybox:latest`. */
  readonly tags?: readonly string[];
  /** Over the image's `config`: User, Entrypoint, Volumes, Env, … */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Put on top of busybox, each one a layer. */
  readonly layers?: readonly Buffer[];
}

/** The tar of a root filesystem: busybox, a hard link an applet, and the few files that a libc wants. */
export async function busyboxLayer(): Promise<Buffer> {
  const [binary, applets] = await Promise.all([readFile(BUSYBOX), execa(BUSYBOX, ['--list'])]);
  const names = applets.stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  return tarOf([
    ...FOLDERS.map((name): TarEntry => ({ name: `${name}/`, type: 'directory', mode: MODES[name] ?? 0o755 })),
    { name: 'bin/busybox', mode: 0o755, content: binary },
    ...names.map((name): TarEntry => ({ name: `bin/${name}`, type: 'link', mode: 0o755, linkname: 'bin/busybox' })),
    ...Object.entries(FILES).map(([name, content]): TarEntry => ({ name, content })),
  ]);
}

/** The image `busybox:latest`, or one like it. Several variants may share the layer: `busyboxImage({}, layer)`. */
export async function busyboxImage(variant: BusyboxVariant = {}, layer?: Buffer): Promise<ImageSpec> {
  return {
    layers: [layer ?? (await busyboxLayer()), ...(variant.layers ?? [])],
    tags: variant.tags ?? ['busybox:latest'],
    config: { Env: [PATH], Cmd: ['sh'], ...variant.config },
  };
}

/** Writes the archive to `file`. */
export async function writeBusyboxImage(file: string, variant: BusyboxVariant = {}): Promise<void> {
  await writeFile(file, await dockerArchive([await busyboxImage(variant)]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2];
  if (file === undefined) {
    process.stderr.write('usage: busybox-image FILE\n');
    process.exitCode = 2;
  } else {
    await writeBusyboxImage(file);
  }
}
