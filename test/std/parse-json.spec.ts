import { expect } from 'chai';
import { parseJSON } from '../../std/parse-json.ts';

describe('parseJSON', () => {
  it('is JSON.parse', () => {
    for (const text of ['1', '"[[["', '{"a":[1,{"b":"\\"]"}]}', '[[],[]]']) {
      expect(parseJSON(text)).to.deep.equal(JSON.parse(text));
    }
  });

  it('takes 256 levels and refuses 257', () => {
    expect(parseJSON(`${'['.repeat(256)}${']'.repeat(256)}`)).to.be.an('array');
    expect(() => parseJSON(`${'['.repeat(257)}${']'.repeat(257)}`)).to.throw(SyntaxError, 'more than 256 levels deep');
  });

  it('refuses millions of levels at once, closed or not', () => {
    for (const text of ['['.repeat(4e6), '{"a":'.repeat(1e6), `${'['.repeat(2e6)}${']'.repeat(2e6)}`]) {
      expect(() => parseJSON(text)).to.throw(SyntaxError, 'levels deep');
    }
  });

  it('leaves the judgement on what is no JSON to JSON.parse', () => {
    for (const text of ['', '"', '"\\', ']]]]', '{', 'x']) expect(() => parseJSON(text)).to.throw(SyntaxError);
  });
});
