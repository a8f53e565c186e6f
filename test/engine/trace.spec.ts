import { channel } from 'node:diagnostics_channel';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { CHANNEL, type KernelOperation, type TraceEvent } from '../../api/trace.ts';
import { traced } from '../../engine/traced.ts';
import { type GreetingEngine, greetingEngine } from '../stand-ins/greetings.ts';
import { rejection } from '../stand-ins/rejection.ts';

const operation = (op: string): KernelOperation => ({
  kind: 'operation',
  owner: 'graph/test',
  op,
  index: 0,
  total: 1,
  ns: 7,
  errno: null,
  detail: '',
});

/** A driver with state that only itself can reach, as real ones have. */
class Driver {
  readonly #layers = ['base'];

  async create(layer: string): Promise<string[]> {
    await turn();
    if (this.#layers.includes(layer)) throw new Error(`${layer} exists`);
    channel(CHANNEL.operation).publish(operation('mkdir'));
    this.#layers.push(layer);
    return this.#layers;
  }

  count(): number {
    return this.#layers.length;
  }
}

describe('trace', () => {
  let engine: GreetingEngine;
  let driver: Driver;
  let tracing: Disposable;
  beforeEach(() => {
    engine = greetingEngine();
    driver = traced('graph/test', new Driver());
    engine.wrap('greet', (next) => async (job) => {
      await job.runChild('cat', [], {});
      await driver.create(job.args[0]);
      return next(job);
    });
    tracing = engine.trace.start();
  });
  afterEach(() => tracing[Symbol.dispose]());

  const kinds = (events: readonly TraceEvent[] = []) => events.map(({ kind }) => kind);

  it('keeps a finished request with its child jobs, driver calls and operations', async () => {
    const job = engine.job('greet', ['you'], { loud: false });
    await job.run();
    const request = engine.trace.find(job.id);
    expect(kinds(request?.events)).to.deep.equal(['job', 'job', 'job-end', 'operation', 'driver', 'job-end']);
    expect(request?.events[0]).to.include({ name: 'greet', parent: null });
    expect(request?.events[1]).to.include({ name: 'cat', parent: job.id });
    expect(request?.events[3]).to.include({ op: 'mkdir', job: job.id, ns: 7 });
    expect(request?.events[4]).to.include({ driver: 'graph/test', method: 'create', job: job.id, error: null });
    expect(request?.events[5]).to.include({ id: job.id, status: 0, error: null });
  });

  it('knows which job did what when jobs run at once', async () => {
    const jobs = ['a', 'b', 'c', 'd'].map((name) => engine.job('greet', [name], { loud: false }));
    await Promise.all(jobs.map((job) => job.run()));
    for (const job of jobs) {
      const events = engine.trace.find(job.id)?.events ?? [];
      const owners = events.flatMap((event) => ('job' in event ? [event.job] : []));
      expect(owners).to.deep.equal([job.id, job.id]);
    }
  });

  it('tells how a job and a driver call failed', async () => {
    const job = engine.job('greet', ['base'], { loud: false });
    await rejection(job.run());
    const events = engine.trace.find(job.id)?.events ?? [];
    expect(events.at(-2)).to.include({ kind: 'driver', error: 'Error: base exists' });
    expect(events.at(-1)).to.include({ kind: 'job-end', status: 1, error: 'base exists' });
  });

  it('knows a request that still runs, as far as it has come', async () => {
    const job = engine.job('wait', [], {});
    const running = job.run();
    await job.accepted;
    expect(kinds(engine.trace.find(job.id)?.events)).to.deep.equal(['job']);
    job.cancel();
    await rejection(running);
  });

  it('keeps the last 256, the newest first', async () => {
    for (let i = 0; i < 260; i++) await engine.run('cat', [], {});
    const recent = engine.trace.recent();
    expect(recent).to.have.length(256);
    expect(recent[0]?.id).to.equal(260);
    expect(engine.trace.find(4)).to.equal(null);
  });

  it('keeps of one request no more than it may, and counts the rest', async () => {
    engine.wrap('greet', () => async () => {
      for (let i = 0; i < 3000; i++) channel(CHANNEL.operation).publish(operation('write'));
      return '';
    });
    const job = engine.job('greet', ['you'], { loud: false });
    await job.run();
    const request = engine.trace.find(job.id);
    expect(request?.events).to.have.length(2001);
    expect(request?.events.at(-1)?.kind).to.equal('job-end');
    expect(request?.dropped).to.equal(1001);
  });

  it('tells watchers as it happens, until they have seen enough', async () => {
    const seen: string[] = [];
    const stop = engine.trace.watch((event, root) => seen.push(`${event.kind} of ${root?.name}`));
    await engine.run('cat', [], {});
    stop();
    await engine.run('cat', [], {});
    expect(seen).to.deep.equal(['job of cat', 'job-end of cat']);
  });

  it('leaves what no job did to watchers alone', () => {
    const seen: TraceEvent[] = [];
    const stop = engine.trace.watch((event) => seen.push(event));
    channel(CHANNEL.operation).publish(operation('mount'));
    stop();
    expect(seen).to.have.length(1);
    expect(seen[0]).to.include({ op: 'mount', job: null });
  });

  it('hears nothing any more when it is disposed of', async () => {
    tracing[Symbol.dispose]();
    const job = engine.job('cat', [], {});
    await job.run();
    expect(engine.trace.find(job.id)).to.equal(null);
    tracing = engine.trace.start();
  });

  it('leaves a driver what it is', async () => {
    expect(driver).to.be.instanceOf(Driver);
    expect(driver.count()).to.equal(1);
    expect(await driver.create('one')).to.deep.equal(['base', 'one']);
    expect(driver.create).to.equal(driver.create);
  });
});
