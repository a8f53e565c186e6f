import { expect } from 'chai';
import { MultiMap } from '../../std/multi-map.ts';

describe('MultiMap', () => {
  it('has each value of a key once, and none of a key that is not there', () => {
    const map = new MultiMap<string, number>();
    for (const value of [2, 1, 2]) map.add('a', value);
    map.add('b', 3);
    expect([...map.get('a')]).to.deep.equal([2, 1]);
    expect([...map.get('c')]).to.deep.equal([]);
  });

  it('forgets a value, and with its last one the key', () => {
    const map = new MultiMap<string, number>();
    map.add('a', 1);
    const before = map.get('a');
    map.delete('a', 2);
    map.delete('b', 1);
    map.delete('a', 1);
    map.add('a', 3);
    expect([...before]).to.deep.equal([]);
    expect([...map.get('a')]).to.deep.equal([3]);
  });
});
