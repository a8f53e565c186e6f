/**
 * What every job promises, beside its types in `api/jobs.ts`: a sentence, a usage line, the reader of its env, what its
 * streams carry. `gantry jobs` prints it.
 */
import { createBody, execConfig } from '../api/container.ts';
import { filters } from '../api/filters.ts';
import type { JobTable } from '../api/jobs.ts';
import type { ContractsOf } from '../engine/contract.ts';
import { flag, integer, list, nullable, object, oneOf, optional, text } from '../std/decode.ts';

const none = object({});
const yes = optional(flag, true);
const no = optional(flag, false);
const word = optional(text, '');
const filtered = object({ filters });
const stopping = object({ t: nullable(integer), signal: word });

/** All but `commands`, which the engine has itself. */
export const contracts: ContractsOf<Omit<JobTable, 'commands'>> = {
  // ——— the engine itself
  serve_api: {
    summary: 'Listens on every address and stays until the engine stops',
    usage: '[address…]',
    env: none,
    aliases: ['serveapi'],
    life: 'daemon',
  },
  acceptconnections: {
    summary: 'Lets requests in, and tells the service manager that the daemon is ready',
    usage: '',
    env: none,
  },
  init_networkdriver: { summary: 'Gets the network drivers ready', usage: '', env: none },

  // ——— system
  ping: { summary: 'Answers OK', usage: '', env: none },
  version: { summary: 'Versions of the engine, its API and the kernel', usage: '', env: none },
  info: {
    summary: 'What this engine and its host are, and how many containers and images there are',
    usage: '',
    env: none,
  },
  events: {
    summary: 'Tells what happens to containers, images and volumes, as it happens',
    usage: '',
    env: object({ since: nullable(text), until: nullable(text), filters }),
    stdout: 'one JSON event a line',
    life: 'watch',
  },

  // ——— images
  images: { summary: 'Lists images', usage: '', env: object({ all: no, digests: no, filters }) },
  image_inspect: { summary: 'All there is to know of an image', usage: '<image>', env: none },
  history: { summary: 'The steps that made an image, the newest first', usage: '<image>', env: none },
  tag: { summary: 'Gives an image one more name', usage: '<image> <repository> [tag]', env: none },
  image_delete: {
    summary: 'Takes a name from an image, and removes the image with its last one',
    usage: '<image>',
    env: object({ force: no, noprune: no }),
  },
  load: {
    summary: 'Takes in images from an archive',
    usage: '',
    env: object({ quiet: no }),
    stdin: 'an archive of `docker save` or an OCI layout, compressed or not',
    stdout: 'progress, one JSON message a line',
  },
  import: {
    summary: 'Makes an image of the tar of a root file system',
    usage: '<source> [repository] [tag]',
    env: object({ message: word, changes: optional(list(text), []), platform: word }),
    stdin: 'the tar, compressed or not, when the source is -',
    stdout: 'progress, one JSON message a line',
  },

  // ——— containers
  create: { summary: 'Makes a container, and does not start it', usage: '[name]', env: createBody },
  start: { summary: 'Starts a container', usage: '<container>', env: none },
  stop: { summary: 'Asks a container to end, and kills it when it does not', usage: '<container>', env: stopping },
  restart: { summary: 'Stops a container and starts it again', usage: '<container>', env: stopping },
  kill: {
    summary: 'Sends a signal to a container, SIGKILL if not said otherwise',
    usage: '<container> [signal]',
    env: none,
  },
  pause: { summary: 'Makes every process of a container stand still', usage: '<container>', env: none },
  unpause: { summary: 'Lets every process of a container go on', usage: '<container>', env: none },
  rename: { summary: 'Gives a container another name', usage: '<container> <name>', env: none },
  wait: {
    summary: 'Waits until a container has ended, and tells how',
    usage: '<container>',
    env: object({ condition: optional(oneOf('not-running', 'next-exit', 'removed'), 'not-running' as const) }),
    life: 'watch',
  },
  delete: {
    summary: 'Removes a container',
    usage: '<container>',
    env: object({ force: no, v: no, link: no }),
    aliases: ['rm'],
  },
  containers: {
    summary: 'Lists containers',
    usage: '',
    env: object({ all: no, limit: optional(integer, 0), size: no, before: word, since: word, filters }),
  },
  container_inspect: {
    summary: 'All there is to know of a container',
    usage: '<container>',
    env: object({ size: no }),
  },
  top: { summary: 'Lists the processes of a container, as ps does', usage: '<container> [psArgs]', env: none },
  logs: {
    summary: 'What a container has written',
    usage: '<container>',
    env: object({
      follow: no,
      stdout: yes,
      stderr: yes,
      since: word,
      until: word,
      timestamps: no,
      tail: optional(text, 'all'),
      details: no,
    }),
    stdout: "the container's own",
    stderr: "the container's own",
    life: 'watch',
  },
  attach: {
    summary: 'Connects to the streams of a container',
    usage: '<container>',
    env: object({ logs: no, stream: yes, stdin: yes, stdout: yes, stderr: yes, detachKeys: word }),
    stdin: "the container's own",
    stdout: "the container's own",
    stderr: "the container's own",
    life: 'watch',
  },
  resize: { summary: "Sets the size of a container's terminal", usage: '<container> <height> <width>', env: none },
  exec_create: { summary: 'Gets one more process for a container ready', usage: '<container>', env: execConfig },
  exec_start: {
    summary: 'Starts a process that exec_create got ready, and connects to its streams',
    usage: '<exec>',
    env: object({ Detach: no, Tty: no, ConsoleSize: nullable(list(integer)) }),
    stdin: "the process's own",
    stdout: "the process's own",
    stderr: "the process's own",
    life: 'watch',
  },
  exec_inspect: { summary: 'All there is to know of a process that exec_create got ready', usage: '<exec>', env: none },
  exec_resize: { summary: "Sets the size of a process's terminal", usage: '<exec> <height> <width>', env: none },
  explain: {
    summary: 'The OCI spec and the kernel program that create and start would run; nothing is made',
    usage: '[name]',
    env: createBody,
  },

  // ——— networks and volumes
  networks: { summary: 'Lists networks', usage: '', env: filtered },
  network_inspect: { summary: 'All there is to know of a network', usage: '<network>', env: none },
  volumes: { summary: 'Lists volumes', usage: '', env: filtered },
  volume_inspect: { summary: 'All there is to know of a volume', usage: '<volume>', env: none },
};
