import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Conflict, Forbidden } from '../../api/errors.ts';
import { BrokenPlugin, loadPlugins, pluginsIn } from '../../engine/plugins.ts';
import { type GreetingEngine, greetingEngine } from '../stand-ins/greetings.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('plugins', () => {
  let folder: string;
  let engine: GreetingEngine;
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-');
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    engine = greetingEngine();
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  }

  async function failure(name: string, text: string): Promise<unknown> {
    return rejection(loadPlugins(engine, [await write(name, text)]));
  }

  it('add jobs, which are then run as any other', async () => {
    const path = await write(
      'shout.js',
      `export const install = (engine, { decode }) => engine.register('shout', {
         summary: 'Shouts', usage: '<word>', env: decode.object({}), handler: async (job) => job.args[0].toUpperCase(),
       });`,
    );
    await loadPlugins(engine, [path]);
    expect(await engine.open('shout', ['hey'], {}).run()).to.equal('HEY');
  });

  it('wrap jobs, and fail with the very errors that the server knows', async () => {
    const path = await write(
      'policy.mjs',
      `export function install(engine, { errors }) {
         engine.wrap('greet', () => async () => { throw new errors.Forbidden('nobody is greeted here'); });
       }`,
    );
    await loadPlugins(engine, [path]);
    const error = await rejection(engine.run('greet', ['you'], { loud: false }));
    expect(error).to.be.instanceOf(Forbidden).with.property('message', 'nobody is greeted here');
  });

  it('are told by name when they cannot be read, are no plugin, or throw', async () => {
    const syntax = await failure('syntax.js', 'export function install( {');
    expect(syntax).to.be.instanceOf(BrokenPlugin).with.property('message').that.contains(join(folder, 'syntax.js'));
    expect(await failure('empty.js', 'export const instal = 1;'))
      .to.be.instanceOf(BrokenPlugin)
      .with.property('message', `plugin ${join(folder, 'empty.js')}: exports no function \`install(engine, kit)\``);
    expect(await failure('throws.js', 'export function install() { throw new Error("no disk"); }'))
      .to.be.instanceOf(BrokenPlugin)
      .with.property('message', `plugin ${join(folder, 'throws.js')}: install failed: no disk`);
    const missing = await rejection(loadPlugins(engine, [join(folder, 'missing.js')]));
    expect(missing).to.be.instanceOf(BrokenPlugin).with.property('message').that.contains('missing.js');
  });

  it('may not take the name of a job that is there', async () => {
    const error = await failure(
      'greet.js',
      `export const install = (engine) => engine.register('greet', { summary: '', usage: '', env: () => ({}), handler() {} });`,
    );
    expect(error).to.have.property('cause').that.is.instanceOf(Conflict);
  });

  it('may not wrap a job that nobody registers', async () => {
    const error = await failure('typo.js', `export const install = (engine) => engine.wrap('graet', (next) => next);`);
    expect(error).to.be.instanceOf(BrokenPlugin).with.property('message').that.contains('graet');
  });

  it('may wrap a job of a plugin that comes later', async () => {
    const wrap = await write(
      'a.js',
      `export const install = (engine) => engine.wrap('late', () => async () => 'wrapped');`,
    );
    const late = await write(
      'b.js',
      `export const install = (engine) => engine.register('late', {
         summary: '', usage: '', env: () => ({}), handler: async () => 'late',
       });`,
    );
    await loadPlugins(engine, [wrap, late]);
    expect(await engine.open('late', [], {}).run()).to.equal('wrapped');
  });

  it('are found in a folder by their names, in order', async () => {
    for (const name of ['b.js', 'a.mjs', 'notes.txt', 'c.js.off']) await write(name, '');
    await mkdir(join(folder, 'd'));
    expect(await pluginsIn(folder)).to.deep.equal([join(folder, 'a.mjs'), join(folder, 'b.js')]);
  });

  it('are none in a folder that is not there', async () => {
    expect(await pluginsIn(join(folder, 'none'))).to.deep.equal([]);
  });
});
