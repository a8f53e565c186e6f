import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createBody, execConfig } from '../../api/container.ts';
import { Forbidden } from '../../api/errors.ts';
import type { JobTable } from '../../api/jobs.ts';
import { Engine } from '../../engine/engine.ts';
import { loadPlugins } from '../../engine/plugins.ts';
import { contracts } from '../../jobs/contracts.ts';
import { rejection } from '../stand-ins/rejection.ts';

const PLUGIN = fileURLToPath(new URL('../../examples/plugins/create-policy.js', import.meta.url));

describe('example create-policy', () => {
  let engine: Engine<JobTable>;
  let created: string[];
  const before = process.env['GANTRY_ALLOWED_IMAGES'];
  beforeEach(async () => {
    engine = new Engine<JobTable>();
    created = [];
    engine.register('create', {
      ...contracts.create,
      handler: async (job) => {
        created.push(job.env.Image);
        return { Id: 'c', Warnings: [] };
      },
    });
    engine.register('exec_create', { ...contracts.exec_create, handler: async () => ({ Id: 'e' }) });
    process.env['GANTRY_ALLOWED_IMAGES'] = 'busybox,registry.corp:5000/tools:*,alpine:3.20';
    await loadPlugins(engine, [PLUGIN]);
  });
  afterEach(() => {
    if (before === undefined) delete process.env['GANTRY_ALLOWED_IMAGES'];
    else process.env['GANTRY_ALLOWED_IMAGES'] = before;
  });

  const create = (Image: string, HostConfig = {}) =>
    engine.run('create', [], createBody({ Image, HostConfig }, 'body'));

  it('lets pass what is on the list, however it is written', async () => {
    const images = [
      'busybox',
      'busybox:latest',
      'docker.io/library/busybox',
      'registry.corp:5000/tools:7',
      'alpine:3.20',
    ];
    for (const image of images) await create(image);
    expect(created).to.deep.equal(images);
  });

  it('refuses what is not, with 403 and in clear words, and nothing is made', async () => {
    const error = await rejection(create('nginx'));
    expect(error).to.be.instanceOf(Forbidden).with.property('httpStatus', 403);
    expect(error).to.have.property(
      'message',
      'image nginx is not allowed on this host: use one of busybox, registry.corp:5000/tools:*, alpine:3.20',
    );
    for (const image of ['busybox:1', 'alpine', 'evil/busybox', 'registry.corp/tools:7', 'f'.repeat(64), 'abcdef'])
      expect(await rejection(create(image)), image).to.be.instanceOf(Forbidden);
    expect(created).to.deep.equal([]);
  });

  it('refuses privileged containers, and privileged processes in others', async () => {
    const error = await rejection(create('busybox', { Privileged: true }));
    expect(error).to.be.instanceOf(Forbidden).with.property('message').that.contains('leave out --privileged');
    const exec = (Privileged: boolean) =>
      engine.run('exec_create', ['web'], execConfig({ Privileged, Cmd: ['sh'] }, 'body'));
    expect(await rejection(exec(true))).to.be.instanceOf(Forbidden);
    expect(await exec(false)).to.deep.equal({ Id: 'e' });
  });

  it('holds for whoever asks: also from outside', async () => {
    const job = engine.open('create', ['web'], { Image: 'nginx' });
    expect(await rejection(job.run())).to.be.instanceOf(Forbidden);
  });
});
