import { expect } from 'chai';
import { Conflict, InvalidParameter, NoSuchJob, SystemFailure } from '../../api/errors.ts';
import { Tail } from '../../engine/destination.ts';
import { Engine } from '../../engine/engine.ts';
import { object } from '../../std/decode.ts';
import { type Greetings, greet, greetingEngine } from '../stand-ins/greetings.ts';
import { rejection } from '../stand-ins/rejection.ts';

const definition = {
  summary: 'Greets',
  usage: '<name> [greeting]',
  env: () => ({ loud: false }),
  handler: greet,
} as const;

/** What early Docker's engine/engine_test.go and job_test.go hold, and what was missing there. */
describe('engine', () => {
  describe('registering', () => {
    it('refuses a name that is taken', () => {
      const engine = greetingEngine();
      expect(() => engine.register('greet', definition)).to.throw(Conflict, 'job greet is already registered');
    });

    it('refuses a name that is an alias of another job', () => {
      const engine = new Engine<Greetings>();
      engine.register('cat', { ...definition, usage: '', env: object({}), aliases: ['greet'], handler: async () => 0 });
      expect(() => engine.register('greet', definition)).to.throw(Conflict);
    });

    it('keeps the jobs of one engine from another', () => {
      greetingEngine();
      expect(new Engine<Greetings>().has('greet')).to.equal(false);
    });

    it('is not taken in by names that every object has', async () => {
      const engine = greetingEngine();
      for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
        expect(engine.has(name)).to.equal(false);
        expect(() => engine.open(name, [], {})).to.throw(NoSuchJob);
      }
    });

    it('has the job commands from the start, which names all jobs in order', async () => {
      const engine = greetingEngine();
      const job = engine.job('commands', [], {});
      const stdout = new Tail(1024);
      job.stdout.add(stdout);
      expect(await job.run()).to.deep.equal(['cat', 'commands', 'fail', 'greet', 'wait']);
      expect(stdout.bytes.toString()).to.equal('cat\ncommands\nfail\ngreet\nwait\n');
    });
  });

  describe('running', () => {
    it('makes a job of an unknown name, and ends it with 127 when it is run', async () => {
      const job = new Engine<Greetings>().job('greet', ['you'], { loud: false });
      const error = await rejection(job.run());
      expect(error).to.be.instanceOf(NoSuchJob).with.property('message', 'greet: command not found');
      expect(job.exitStatus).to.equal(127);
    });

    it('ends a job that is well with 0, and one that fails with 1', async () => {
      const engine = greetingEngine();
      const well = engine.job('greet', ['you'], { loud: true });
      expect(well.exitStatus).to.equal(null);
      expect(await well.run()).to.equal('HELLO YOU');
      expect(well.exitStatus).to.equal(0);
      const bad = engine.job('fail', ['x'], {});
      await rejection(bad.run());
      expect(bad.exitStatus).to.equal(1);
    });

    it('runs a job once', async () => {
      const job = greetingEngine().job('greet', ['you'], { loud: false });
      await job.run();
      expect(await rejection(job.run())).to.be.instanceOf(Conflict);
    });

    it('turns what a handler throws by mistake into a failure of that job alone', async () => {
      const engine = greetingEngine();
      const error = await rejection(engine.run('fail', ['undefined is not a function'], {}));
      expect(error).to.be.instanceOf(SystemFailure).with.property('message', 'undefined is not a function');
      expect(error).to.have.property('httpStatus', 500);
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('hello you');
    });

    it('does so also for a handler that throws before its first await', async () => {
      const engine = new Engine<Greetings>();
      engine.register('greet', {
        ...definition,
        handler: () => {
          throw new RangeError('at once');
        },
      });
      expect(await rejection(engine.run('greet', ['you'], { loud: false }))).to.be.instanceOf(SystemFailure);
    });

    it('rejects accepted when a job fails before it has accepted', async () => {
      const job = greetingEngine().job('fail', ['x'], {});
      job.run().catch(() => {});
      expect(await rejection(job.accepted)).to.be.instanceOf(SystemFailure);
    });

    it('resolves accepted to null when a job ends well without a word', async () => {
      const job = greetingEngine().job('greet', ['you'], { loud: false });
      await job.run();
      expect(await job.accepted).to.equal(null);
    });
  });

  describe('the catch-all', () => {
    it('takes every name that is not registered', async () => {
      const engine = greetingEngine();
      engine.catchall(async (job) => `${job.name}(${job.args.join(',')}) ${JSON.stringify(job.env)}`);
      expect(await engine.open('dance', ['a', 'b'], { c: 1 }).run()).to.equal('dance(a,b) {"c":1}');
    });

    it('never sees the empty name, nor one that is registered', async () => {
      const engine = greetingEngine();
      engine.catchall(async () => 'caught');
      expect(() => engine.open('', [], {})).to.throw(NoSuchJob);
      expect(await engine.open('greet', ['you'], {}).run()).to.equal('hello you');
    });

    it('is one', () => {
      const engine = greetingEngine();
      engine.catchall(async () => null);
      expect(() => engine.catchall(async () => null)).to.throw(Conflict);
    });
  });

  describe('opening from outside', () => {
    it('knows aliases', async () => {
      expect(await greetingEngine().open('hi', ['you'], {}).run()).to.equal('hello you');
    });

    it('tells the usage when there are too few words or too many', () => {
      const engine = greetingEngine();
      const usage = 'usage: greet <name> [greeting]';
      expect(() => engine.open('greet', [], {})).to.throw(InvalidParameter, `greet: got 0 arguments, ${usage}`);
      expect(() => engine.open('greet', ['a', 'b', 'c'], {})).to.throw(InvalidParameter, usage);
    });

    it('names the env that does not fit', () => {
      const engine = greetingEngine();
      expect(() => engine.open('greet', ['you'], { loud: 'yes' })).to.throw(InvalidParameter, 'greet: env.loud');
      expect(() => engine.open('greet', ['you'], [])).to.throw(InvalidParameter, 'expected an object');
    });

    it('refuses an env that the job does not know, rather than to pass over a typo', () => {
      const engine = greetingEngine();
      const words = 'greet: unknown env lowd: it takes loud';
      expect(() => engine.open('greet', ['you'], { lowd: true })).to.throw(InvalidParameter, words);
    });

    it('gives nobody outside the word that overrides a shutdown', async () => {
      const engine = greetingEngine();
      await engine.shutdown();
      expect(() => engine.open('greet', ['you'], { overrideShutdown: true })).to.throw(InvalidParameter);
    });
  });

  describe('wrapping', () => {
    it('puts the last wrapper outside', async () => {
      const engine = greetingEngine();
      engine.wrap('greet', (next) => async (job) => `[${await next(job)}]`);
      engine.wrap('greet', (next) => async (job) => `(${await next(job)})`);
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('([hello you])');
    });

    it('may come before the job that it wraps', async () => {
      const engine = new Engine<Greetings>();
      engine.wrap('greet', (next) => async (job) => `[${await next(job)}]`);
      engine.register('greet', definition);
      engine.verify();
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('[hello you]');
    });

    it('may come between two runs', async () => {
      const engine = greetingEngine();
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('hello you');
      engine.wrap('greet', () => async () => 'no');
      expect(await engine.run('greet', ['you'], { loud: false })).to.equal('no');
    });

    it('is refused by verify when there is nothing to wrap', () => {
      const engine = new Engine<Greetings>();
      engine.wrap('greet', (next) => next);
      expect(() => engine.verify()).to.throw(NoSuchJob, 'greet');
    });
  });

  it('tells the contract of every job', () => {
    const contracts = greetingEngine().contracts();
    expect(contracts.find(({ name }) => name === 'greet')).to.deep.equal({
      name: 'greet',
      summary: 'Greets',
      usage: '<name> [greeting]',
      env: ['loud'],
      stdin: null,
      stdout: 'the greeting',
      stderr: null,
      aliases: ['hi'],
    });
  });

  it('installs plugins', async () => {
    const engine = new Engine<Greetings>();
    await engine.install({ install: (its) => its.register('greet', definition) });
    expect(engine.has('greet')).to.equal(true);
  });
});
