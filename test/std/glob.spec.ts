import { expect } from 'chai';
import { compileGlob } from '../../std/glob.ts';

describe('glob', () => {
  const table: readonly (readonly [pattern: string, name: string, isMatch: boolean | null])[] = [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[^b-d]', 'abc', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a/b', false],
    ['[a-ζ]*', 'α', true],
    ['[\\]a]', ']', true],
    ['[\\-x]', '-', true],
    ['', '', true],
    ['[]a]', ']', null],
    ['[-]', '-', null],
    ['[', 'a', null],
    ['[^', 'a', null],
    ['a[', 'a', null],
    ['a\\', 'a', null],
  ];
  for (const [pattern, name, isMatch] of table) {
    const verb = isMatch === null ? 'is no pattern' : `${isMatch ? 'matches' : 'does not match'} ${name}`;
    it(`${JSON.stringify(pattern)} ${verb}`, () => {
      const compiled = compileGlob(pattern);
      expect(compiled === null ? null : compiled(name)).to.equal(isMatch);
    });
  }

  it('takes at most pattern × name steps', () => {
    expect(compileGlob('a*'.repeat(500))?.('a'.repeat(2000))).to.equal(true);
    expect(compileGlob(`${'a*'.repeat(500)}b`)?.('a'.repeat(2000))).to.equal(false);
  });
});
