import { expect } from 'chai';
import { Unavailable } from '../../api/errors.ts';
import { Engine } from '../../engine/engine.ts';
import { object } from '../../std/decode.ts';
import { type Greetings, greetingEngine, untilCancelled } from '../stand-ins/greetings.ts';
import { rejection } from '../stand-ins/rejection.ts';

const LONG = 60_000;
const described = { summary: 'Does something', usage: '', env: object({}) } as const;

describe('engine shutdown', () => {
  it('refuses new jobs from its first instant', async () => {
    const engine = greetingEngine();
    const done = engine.shutdown();
    expect(engine.isShutdown).to.equal(true);
    const error = await rejection(engine.run('greet', ['you'], { loud: false }));
    expect(error).to.be.instanceOf(Unavailable).with.property('message', 'engine is shut down');
    await done;
  });

  it('runs what is marked to override it', async () => {
    const engine = greetingEngine();
    await engine.shutdown();
    const words = await engine.run('greet', ['you'], { loud: false }, { overrideShutdown: true });
    expect(words).to.equal('hello you');
  });

  it('waits for running jobs, and for the children that they still start', async () => {
    const engine = greetingEngine();
    let goOn: () => void = () => {};
    const steps: string[] = [];
    engine.wrap('greet', (next) => async (job) => {
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await job.runChild('cat', [], {});
      steps.push('job');
      return next(job);
    });
    const running = engine.run('greet', ['you'], { loud: false });
    const done = engine.shutdown({ graceMs: LONG }).then(() => steps.push('shutdown'));
    goOn();
    expect(await running).to.equal('hello you');
    await done;
    expect(steps).to.deep.equal(['job', 'shutdown']);
  });

  it('raises the signal of a job that outlasts its grace', async () => {
    const engine = greetingEngine();
    const running = engine.run('wait', [], {});
    const [error] = await Promise.all([rejection(running), engine.shutdown({ graceMs: 1 })]);
    expect(error).to.be.instanceOf(Unavailable).with.property('message', 'engine is shutting down');
  });

  it('leaves a job behind that does not end when it is told to', async () => {
    const engine = new Engine<Greetings>();
    engine.register('cat', { ...described, handler: () => new Promise(() => {}) });
    void engine.run('cat', [], {});
    await engine.shutdown({ graceMs: 1, signalledMs: 1 });
  });

  it('raises the signal of jobs that watch at once, whatever the grace', async () => {
    const engine = new Engine<Greetings>();
    engine.register('wait', { ...described, life: 'watch', handler: untilCancelled });
    const watched = engine.run('wait', [], {});
    await Promise.all([rejection(watched), engine.shutdown({ graceMs: LONG })]);
  });

  it('raises the signal of what the others need when they have ended', async () => {
    const order: string[] = [];
    const engine = new Engine<Greetings>();
    engine.register('cat', {
      ...described,
      life: 'daemon',
      handler: async (job) => {
        await new Promise((resolve) => job.signal.addEventListener('abort', resolve, { once: true }));
        order.push('daemon');
        return 0;
      },
    });
    engine.register('wait', {
      ...described,
      handler: (job) => untilCancelled(job).finally(() => order.push('work')),
    });
    void engine.run('cat', [], {});
    void rejection(engine.run('wait', [], {}));
    await engine.shutdown({ graceMs: 1 });
    expect(order).to.deep.equal(['work', 'daemon']);
  });

  it('runs its handlers in the reverse order, each after the other, also when one fails or takes too long', async () => {
    const engine = greetingEngine();
    const order: string[] = [];
    engine.onShutdown('first', () => order.push('first'));
    engine.onShutdown('too long', () => new Promise(() => {}), 1);
    engine.onShutdown('fails', () => {
      order.push('fails');
      throw new Error('no');
    });
    engine.onShutdown('last', async () => {
      await Promise.resolve();
      order.push('last');
    });
    await engine.shutdown();
    expect(order).to.deep.equal(['last', 'fails', 'first']);
  });

  it('happens once: a second caller waits for the first', async () => {
    const engine = greetingEngine();
    let times = 0;
    engine.onShutdown('count', () => times++);
    await Promise.all([engine.shutdown(), engine.shutdown()]);
    await engine.shutdown();
    expect(times).to.equal(1);
  });
});
