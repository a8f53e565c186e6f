import { Readable } from 'node:stream';
import { expect } from 'chai';
import { Cancelled, Unavailable } from '../../api/errors.ts';
import { Tail } from '../../engine/destination.ts';
import type { GreetingEngine } from '../stand-ins/greetings.ts';
import { greetingEngine } from '../stand-ins/greetings.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('job', () => {
  let engine: GreetingEngine;
  beforeEach(() => {
    engine = greetingEngine();
  });

  it('has the bytes that the caller gives it on stdin', async () => {
    const job = engine.job('cat', [], {}, { stdin: Readable.from([Buffer.from('ab'), Buffer.from('c')]) });
    const stdout = new Tail(10);
    job.stdout.add(stdout);
    expect(await job.run()).to.equal(3);
    expect(stdout.bytes.toString()).to.equal('abc');
  });

  it('finds the end of stdin at once when the caller gives none', async () => {
    expect(await engine.run('cat', [], {})).to.equal(0);
  });

  it('is cancelled by the signal of its caller', async () => {
    const caller = new AbortController();
    const job = engine.job('wait', [], {}, { signal: caller.signal });
    const running = job.run();
    expect(await job.accepted).to.equal('waiting');
    caller.abort();
    expect(await rejection(running)).to.be.instanceOf(Cancelled);
    expect(job.exitStatus).to.equal(130);
  });

  it('does not start when its caller has gone before', async () => {
    const job = engine.job('greet', ['you'], { loud: false }, { signal: AbortSignal.abort() });
    const written = new Tail(100);
    job.stdout.add(written);
    expect(await rejection(job.run())).to.be.instanceOf(Cancelled);
    expect(written.bytes.length).to.equal(0);
  });

  it('fails with the reason of its cancellation where that is one of ours', async () => {
    const job = engine.job('wait', [], {});
    const running = job.run();
    job.cancel(new Unavailable('not today'));
    expect(await rejection(running))
      .to.be.instanceOf(Unavailable)
      .with.property('message', 'not today');
  });

  describe('with children', () => {
    it('has its name in theirs', async () => {
      const parents: (number | null)[] = [];
      engine.wrap('cat', (next) => async (job) => {
        parents.push(job.parent);
        return next(job);
      });
      engine.wrap('greet', (next) => async (job) => {
        await job.runChild('cat', [], {});
        return next(job);
      });
      const job = engine.job('greet', ['you'], { loud: false });
      await job.run();
      expect(parents).to.deep.equal([job.id]);
    });

    it('may take in their output, and goes on writing after they have ended', async () => {
      engine.wrap('greet', (next) => async (job) => {
        const stdin = Readable.from([Buffer.from('from the child\n')]);
        await job.runChild('cat', [], {}, { stdin, stdout: job.stdout });
        return next(job);
      });
      const job = engine.job('greet', ['you'], { loud: false });
      const stdout = new Tail(100);
      job.stdout.add(stdout);
      await job.run();
      expect(stdout.bytes.toString()).to.equal('from the child\nhello you\n');
    });

    it('cancels them when it is cancelled', async () => {
      let childFailed: unknown = null;
      engine.wrap('greet', () => async (job) => {
        childFailed = await rejection(job.runChild('wait', [], {}));
        job.signal.throwIfAborted();
        return 'not cancelled';
      });
      const job = engine.job('greet', ['you'], { loud: false });
      const running = job.run();
      job.cancel();
      expect(await rejection(running)).to.be.instanceOf(Cancelled);
      expect(childFailed).to.be.instanceOf(Cancelled);
    });

    it('goes on when one of them fails and it says so', async () => {
      engine.wrap('greet', (next) => async (job) => {
        await rejection(job.runChild('fail', ['x'], {}));
        return next(job);
      });
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('hello you');
    });

    it('lets go of the signals of all who have ended', async () => {
      const caller = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = caller.signal;
      caller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
        listeners++;
        addEventListener.apply(caller.signal, args);
      };
      caller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
        listeners--;
        removeEventListener.apply(caller.signal, args);
      };
      for (let i = 0; i < 20; i++) await engine.run('cat', [], {}, { signal: caller.signal });
      expect(listeners).to.equal(0);
    });
  });
});
