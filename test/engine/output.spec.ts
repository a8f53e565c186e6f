import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Destination, Tail } from '../../engine/destination.ts';
import { Output } from '../../engine/output.ts';
import { rejection } from '../stand-ins/rejection.ts';

const KIB = Buffer.alloc(1024, 'x');

/** A destination whose room is the test's to give. */
class Gate implements Destination {
  received = '';
  isOpen = true;
  ended: Error | 'well' | null = null;
  #wake: (() => void)[] = [];

  write(chunk: Buffer): boolean {
    this.received += chunk;
    return this.isOpen;
  }
  drained(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
  end(error?: Error): void {
    this.ended = error ?? 'well';
  }
  open(): void {
    this.isOpen = true;
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function shut(): Gate {
  return Object.assign(new Gate(), { isOpen: false });
}

/** Has `promise` settled by now? */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await turn();
  return settled;
}

describe('output', () => {
  it('gives every destination all that is written, in order', async () => {
    const output = new Output();
    const [a, b] = [new Gate(), new Gate()];
    output.add(a);
    output.add(b);
    await output.write('one ');
    await output.write(Buffer.from('two'));
    expect([a.received, b.received]).to.deep.equal(['one two', 'one two']);
  });

  it('drops what is written with nobody there, and after its close', async () => {
    const output = new Output();
    await output.write('lost');
    const gate = new Gate();
    output.add(gate);
    output.close();
    await output.write('lost too');
    expect(gate.received).to.equal('');
    expect(gate.ended).to.equal('well');
  });

  it('ends a destination that comes after its close', () => {
    const output = new Output();
    output.close();
    const gate = new Gate();
    output.add(gate);
    expect(gate.ended).to.equal('well');
  });

  it('is closed once', () => {
    const output = new Output();
    const gate = new Gate();
    output.add(gate);
    output.close();
    gate.ended = null;
    output.close();
    expect(gate.ended).to.equal(null);
  });

  it('gives a destination that was taken away no more, and does not end it', async () => {
    const output = new Output();
    const gate = new Gate();
    const remove = output.add(gate);
    remove();
    await output.write('x');
    output.close();
    expect([gate.received, gate.ended]).to.deep.equal(['', null]);
  });

  describe('with readers that do not keep up', () => {
    it('makes the writer wait for its only reader', async () => {
      const output = new Output();
      const gate = shut();
      output.add(gate);
      const written = output.write('x');
      expect(await isSettled(written)).to.equal(false);
      gate.open();
      await written;
    });

    it('goes on with the fastest, and keeps for the other what it has no room for', async () => {
      const output = new Output();
      const [fast, slow] = [new Gate(), shut()];
      output.add(slow);
      output.add(fast);
      for (const word of ['a', 'b', 'c']) await output.write(word);
      expect([fast.received, slow.received]).to.deep.equal(['abc', 'a']);
      slow.open();
      await turn();
      expect(slow.received).to.equal('abc');
    });

    it('cuts off one that is 1 MiB behind another, with an error, and holds no more than that', async () => {
      const output = new Output();
      const [fast, asleep] = [new Gate(), shut()];
      output.add(asleep);
      output.add(fast);
      for (let i = 0; i < 1026; i++) await output.write(KIB);
      expect(asleep.ended).to.be.instanceOf(Error).with.property('message').that.contains('1048576 bytes behind');
      await output.write('more');
      expect(asleep.received).to.have.length(1024);
      expect(fast.received).to.have.length(1026 * 1024 + 4);
    });

    it('waits for no destination that only looks on, nor goes on because of one', async () => {
      const output = new Output();
      const [reader, onlooker] = [shut(), Object.assign(shut(), { isPassive: true })];
      output.add(onlooker);
      expect(await isSettled(output.write('x'))).to.equal(true);
      output.add(reader);
      expect(await isSettled(output.write('y'))).to.equal(false);
    });

    it('goes on when the reader it waited for is taken away', async () => {
      const output = new Output();
      const remove = output.add(shut());
      const written = output.write('x');
      remove();
      await written;
    });

    it('gives up waiting when its signal is raised', async () => {
      const job = new AbortController();
      const output = new Output(job.signal);
      output.add(shut());
      const written = output.write('x');
      job.abort(new Error('cancelled'));
      expect(await rejection(written)).to.have.property('message', 'cancelled');
    });

    it('ends a destination after what still waits for it', async () => {
      const output = new Output();
      const [fast, slow] = [new Gate(), shut()];
      output.add(slow);
      output.add(fast);
      await output.write('a');
      await output.write('b');
      output.close();
      expect(slow.ended).to.equal(null);
      slow.open();
      await turn();
      expect([slow.received, slow.ended]).to.deep.equal(['ab', 'well']);
    });
  });

  describe('with a destination that throws', () => {
    const broken = (): Destination => ({
      write: () => {
        throw new Error('EPIPE');
      },
      drained: () => Promise.resolve(),
      end: () => {},
    });

    it('lets go of it, and gives the others all', async () => {
      const output = new Output();
      const gate = new Gate();
      output.add(broken());
      output.add(gate);
      await output.write('a');
      await output.write('b');
      expect(gate.received).to.equal('ab');
    });

    it('does not wait for one that is gone', async () => {
      const output = new Output();
      output.add(broken());
      await output.write('a');
    });
  });

  it('lent to another output is not closed by it', async () => {
    const [parent, child] = [new Output(), new Output()];
    const gate = new Gate();
    parent.add(gate);
    child.add(parent.lend());
    await child.write('child ');
    child.close();
    await parent.write('parent');
    expect([gate.received, gate.ended]).to.deep.equal(['child parent', null]);
  });

  it('lent to another output makes that one wait', async () => {
    const [parent, child] = [new Output(), new Output()];
    const gate = shut();
    parent.add(gate);
    child.add(parent.lend());
    const written = child.write('x');
    expect(await isSettled(written)).to.equal(false);
    gate.open();
    await written;
  });

  it('is a stream that pipeline can write into', async () => {
    const output = new Output();
    const tail = new Tail(100);
    output.add(tail);
    await pipeline(['a', 'b'], output.writable());
    expect(tail.bytes.toString()).to.equal('ab');
  });
});

describe('tail', () => {
  it('keeps the last bytes, and says that there were more', async () => {
    const tail = new Tail(4);
    for (const word of ['abc', 'def', 'ghi', 'jkl']) tail.write(Buffer.from(word));
    expect(tail.bytes.toString()).to.equal('ijkl');
    expect(tail.isTruncated).to.equal(true);
  });

  it('keeps all when that fits', () => {
    const tail = new Tail(4);
    tail.write(Buffer.from('ab'));
    expect(tail.bytes.toString()).to.equal('ab');
    expect(tail.isTruncated).to.equal(false);
  });
});
