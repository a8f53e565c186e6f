import { expect } from 'chai';
import { isPattern, matchingWithin } from '../../std/bounded-match.ts';

describe('matchingWithin', () => {
  it('finds the texts in which one of the patterns is', () => {
    const found = matchingWithin(10_000, ['^a', 'z$'], ['abc', 'xyz', 'bab', 'a z']);
    expect([...(found ?? [])]).to.deep.equal(['abc', 'xyz', 'a z']);
  });

  it('finds nothing without patterns or texts', () => {
    expect(matchingWithin(10_000, [], ['a'])?.size).to.equal(0);
    expect(matchingWithin(10_000, ['a'], [])?.size).to.equal(0);
  });

  for (const pattern of ['^(a+)+$', '(a|a)*b', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
    it(`gives up on ${pattern}`, () => {
      expect(matchingWithin(20, [pattern], [`${'a'.repeat(200)}1`])).to.equal(null);
    });
  }

  it('knows a pattern', () => {
    expect(['a', '^(b|c)$', '('].map(isPattern)).to.deep.equal([true, true, false]);
  });
});
