import { expect } from 'chai';
import { Undo } from '../../std/undo.ts';
import { rejection } from '../stand-ins/rejection.ts';

describe('undo', () => {
  let done: string[];
  beforeEach(() => {
    done = [];
  });
  const step = (name: string) => () => void done.push(name);

  it('runs its steps when the block is left, the last one first', async () => {
    {
      await using undo = new Undo();
      undo.defer('a', step('a'));
      undo.defer('b', async () => {
        await Promise.resolve();
        done.push('b');
      });
    }
    expect(done).to.deep.equal(['b', 'a']);
  });

  it('runs none when all is well', async () => {
    {
      await using undo = new Undo();
      undo.defer('a', step('a'));
      undo.keep();
    }
    expect(done).to.deep.equal([]);
  });

  it('hands the kept steps on, to be run one day, once', async () => {
    const undo = new Undo();
    undo.defer('a', step('a'));
    const later = undo.keep();
    await undo[Symbol.asyncDispose]();
    expect(done).to.deep.equal([]);
    await later[Symbol.asyncDispose]();
    await later[Symbol.asyncDispose]();
    expect(done).to.deep.equal(['a']);
  });

  it('goes on after a step that fails, and hides no error', async () => {
    const work = async () => {
      await using undo = new Undo();
      undo.defer('a', step('a'));
      undo.defer('b', () => {
        throw new Error('of the step');
      });
      throw new Error('of the work');
    };
    expect(await rejection(work())).to.have.property('message', 'of the work');
    expect(done).to.deep.equal(['a']);
  });

  it('disposes of what it was given to use', async () => {
    const thing = { [Symbol.asyncDispose]: async () => void done.push('thing') };
    {
      await using undo = new Undo();
      expect(undo.use('the thing', thing)).to.equal(thing);
    }
    expect(done).to.deep.equal(['thing']);
  });
});
