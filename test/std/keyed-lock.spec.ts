import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { KeyedLock } from '../../std/keyed-lock.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('keyed lock', () => {
  let lock: KeyedLock<string>;
  let order: string[];
  beforeEach(() => {
    lock = new KeyedLock();
    order = [];
  });

  async function work(key: string, name: string, signal?: AbortSignal): Promise<void> {
    await using _turn = await lock.acquire(key, signal);
    order.push(`+${name}`);
    await turn();
    order.push(`-${name}`);
  }

  it('lets in one after the other, in the order of asking', async () => {
    await Promise.all(['1', '2', '3'].map((name) => work('a', name)));
    expect(order).to.deep.equal(['+1', '-1', '+2', '-2', '+3', '-3']);
  });

  it('does not make one key wait for another', async () => {
    await Promise.all([work('a', '1'), work('b', '2')]);
    expect(order.slice(0, 2)).to.deep.equal(['+1', '+2']);
  });

  it('lets the next in when the one before has failed', async () => {
    const failing = (async () => {
      await using _turn = await lock.acquire('a');
      throw new Error('no');
    })();
    await Promise.all([rejection(failing), work('a', '1')]);
    expect(order).to.deep.equal(['+1', '-1']);
  });

  it('lets a waiter leave whose signal is raised, and keeps those behind it in turn', async () => {
    const first = await lock.acquire('a');
    const caller = new AbortController();
    const leaving = rejection(work('a', 'leaves', caller.signal));
    const last = work('a', 'last');
    caller.abort(new Error('gone'));
    expect(await leaving).to.have.property('message', 'gone');
    expect(order).to.deep.equal([]);
    await first[Symbol.asyncDispose]();
    await last;
    expect(order).to.deep.equal(['+last', '-last']);
  });

  it('keeps nothing of a key that nobody holds', async () => {
    await Promise.all([work('a', '1'), work('a', '2')]);
    expect(lock.isHeld('a')).to.equal(false);
    const held = await lock.acquire('a');
    expect(lock.isHeld('a')).to.equal(true);
    await held[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
    expect(lock.isHeld('a')).to.equal(false);
  });
});
