import { expect } from 'chai';
import { arityOf, fitsUsage } from '../../std/usage.ts';

describe('usage line', () => {
  it('says how many words there are to be', () => {
    expect(arityOf('')).to.deep.equal({ least: 0, most: 0 });
    expect(arityOf('<container> [signal]')).to.deep.equal({ least: 1, most: 2 });
    expect(arityOf('[address…]')).to.deep.equal({ least: 0, most: Number.POSITIVE_INFINITY });
  });

  it('is refused when it is none', () => {
    for (const usage of ['container', '[signal] <container>', '<a', '<a><b>', '[a] b'])
      expect(() => arityOf(usage), usage).to.throw(TypeError, 'not a usage line');
  });

  it('fits as many words', () => {
    const counts = [[], ['a'], ['a', 'b'], ['a', 'b', 'c']];
    expect(counts.map((words) => fitsUsage(words, '<container> [signal]'))).to.deep.equal([false, true, true, false]);
  });
});
