import { expect } from 'chai';
import {
  DecodeError,
  type Decoder,
  flag,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
} from '../../std/decode.ts';

describe('decode', () => {
  const limits = object({
    Memory: optional(integer, 0),
    Name: text,
    Tty: optional(flag, false),
    Env: nullable(list(text)),
  });

  it('gives what is not there, or null, its default', () => {
    expect(limits({ Name: 'a' }, 'body')).to.deep.equal({ Memory: 0, Name: 'a', Tty: false, Env: null });
    expect(limits({ Name: 'a', Memory: null, Tty: null }, 'body')).to.include({ Memory: 0, Tty: false });
  });

  it('drops what it does not know', () => {
    expect(limits({ Name: 'a', Else: 1 }, 'body')).not.to.have.property('Else');
  });

  it('finds a key in any case, an exact one first, as Go does', () => {
    expect(limits({ name: 'low', MEMORY: 5 }, 'body')).to.include({ Name: 'low', Memory: 5 });
    expect(limits({ name: 'low', Name: 'exact' }, 'body')).to.include({ Name: 'exact' });
  });

  it('names the place of what does not fit', () => {
    const cases: readonly (readonly [Decoder<unknown>, unknown, string])[] = [
      [limits, { Name: 5 }, 'body.Name: expected a string, got number 5'],
      [limits, {}, 'body.Name: expected a string, got nothing'],
      [limits, { Name: 'a', Env: ['x', null] }, 'body.Env[1]: expected a string, got null'],
      [limits, { Name: 'a', Memory: 1.5 }, 'body.Memory: expected a whole number, got number 1.5'],
      [limits, { Name: 'a', Memory: 2 ** 60 }, 'body.Memory: expected a whole number, got number 1152921504606847000'],
      [limits, [], 'body: expected an object, got a list'],
      [limits, null, 'body: expected an object, got null'],
      [record(flag), { a: 'b' }, 'body.a: expected true or false, got string "b"'],
      [oneOf('x', 'y'), 'z', 'body: expected one of x, y, got string "z"'],
    ];
    for (const [decoder, value, message] of cases) expect(() => decoder(value, 'body')).to.throw(DecodeError, message);
  });

  it('keeps names out of the caller’s hand from every prototype', () => {
    const labels = record(text)(JSON.parse('{"__proto__":"a","constructor":"b"}'), 'labels');
    expect(Object.getPrototypeOf(labels)).to.equal(null);
    expect(Object.keys(labels)).to.deep.equal(['__proto__', 'constructor']);
    expect(limits(JSON.parse('{"Name":"a","__proto__":{"Memory":5}}'), 'body')).to.include({ Memory: 0 });
  });
});
