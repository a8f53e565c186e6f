import { expect } from 'chai';
import { toJSON } from '../../std/json.ts';

describe('json', () => {
  it('writes a bigint as bare digits, wherever it is', () => {
    const value = { timeNano: 1714550400123456789n, list: [1n, { deep: 2n }], text: 'x"y' };
    expect(toJSON(value)).to.equal('{"timeNano":1714550400123456789,"list":[1,{"deep":2}],"text":"x\\"y"}');
  });

  it('is JSON.stringify for all else', () => {
    for (const value of [null, 'a', 1.5, [undefined], { a: undefined, b: [true] }, {}, []])
      expect(toJSON(value)).to.equal(JSON.stringify(value));
  });

  it('leaves out what JSON has no word for, beside a bigint too', () => {
    expect(toJSON({ a: undefined, b: 1n, c: [undefined, () => {}] })).to.equal('{"b":1,"c":[null,null]}');
    expect(toJSON(undefined)).to.equal('null');
  });
});
