import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { isPlatform, parsePlatform, platformText } from '../../api/platform.ts';

describe('a platform', () => {
  const read: readonly (readonly [text: string, whole: string])[] = [
    ['linux', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['x86_64', 'linux/amd64'],
    ['linux/aarch64', 'linux/arm64'],
    ['Linux/ARM/v7', 'linux/arm/v7'],
    ['windows/amd64', 'windows/amd64'],
  ];
  for (const [text, whole] of read) {
    it(`${text} is ${whole} on x86_64`, () => expect(platformText(parsePlatform(text, 'x86_64'))).to.equal(whole));
  }

  for (const text of ['', 'vax', 'linux/', 'a/b/c/d', 'linux/../x']) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(() => parsePlatform(text, 'x86_64')).to.throw(InvalidParameter, `"${text}": unknown operating system`);
    });
  }

  const matches: readonly (readonly [has: string, wanted: string, fits: boolean])[] = [
    ['linux/amd64', 'linux/amd64', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm64', 'linux/amd64', false],
    ['windows/amd64', 'linux/amd64', false],
  ];
  for (const [has, wanted, fits] of matches) {
    it(`${has} ${fits ? 'may' : 'may not'} stand for ${wanted}`, () => {
      expect(isPlatform(parsePlatform(has, ''), parsePlatform(wanted, ''))).to.equal(fits);
    });
  }

  it('of an image that does not say is any', () => {
    expect(isPlatform({ os: '', architecture: '', variant: '' }, parsePlatform('arm64', ''))).to.equal(true);
  });
});
