import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage, busyboxLayer } from '../../scripts/busybox-image.ts';
import { dockerArchive, tarOf } from '../../scripts/image-archive.ts';

/**
 * The images that the tables of commands use, in one archive: `busybox:latest` with a user `app`, `app:latest` with
 * entrypoint, environment, volume and label, and `scratchy:latest` that has no command. Gives the archive's path.
 */
export async function makeArchive(folder: string): Promise<string> {
  const busybox = await busyboxLayer();
  const users = await tarOf([
    {
      name: 'etc/passwd',
      content:
        'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    },
    { name: 'etc/group', content: 'root:x:0:\napp:x:1000:\nextra:x:2000:app\nnobody:x:65534:\n' },
  ]);
  const images = [
    await busyboxImage({ tags: ['busybox:latest'], layers: [users] }, busybox),
    await busyboxImage(
      {
        tags: ['app:latest'],
        layers: [users],
        config: {
          Entrypoint: ['/bin/echo'],
          Cmd: ['from', 'app'],
          Env: ['PATH=/bin', 'APP=1'],
          WorkingDir: '/tmp',
          ExposedPorts: { '80/tcp': {} },
          Volumes: { '/data': {} },
          Labels: { app: 'yes' },
        },
      },
      busybox,
    ),
    await busyboxImage({ tags: ['scratchy:latest'], config: { Cmd: null } }, users),
  ];
  const file = join(folder, 'images.tar');
  await writeFile(file, await dockerArchive(images));
  return file;
}
