import { expect } from 'chai';
import { canonical, familiar, familiarName, parseReference, withDefaultTag, withTag } from '../../api/reference.ts';

const SHA = `sha256:${'a'.repeat(64)}`;

describe('reference', () => {
  const good: readonly (readonly [text: string, full: string, short: string])[] = [
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['docker.io/library/busybox:1', 'docker.io/library/busybox:1', 'busybox:1'],
    ['user/app', 'docker.io/user/app:latest', 'user/app:latest'],
    ['docker.io/library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
    ['localhost:5000', 'docker.io/library/localhost:5000', 'localhost:5000'],
    ['registry.example.com/a/b:v1', 'registry.example.com/a/b:v1', 'registry.example.com/a/b:v1'],
    ['registry.example.com:443/a:v1', 'registry.example.com:443/a:v1', 'registry.example.com:443/a:v1'],
    ['Registry/app', 'Registry/app:latest', 'Registry/app:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    ['a__b/c-d.e--f', 'docker.io/a__b/c-d.e--f:latest', 'a__b/c-d.e--f:latest'],
    [`busybox@${SHA}`, `docker.io/library/busybox@${SHA}`, `busybox@${SHA}`],
    [`busybox:1@${SHA}`, `docker.io/library/busybox:1@${SHA}`, `busybox:1@${SHA}`],
    [`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`, `x:${'t'.repeat(128)}`],
    ['x:_1', 'docker.io/library/x:_1', 'x:_1'],
  ];
  for (const [text, full, short] of good) {
    it(`${text} is ${full}`, () => {
      const reference = withDefaultTag(parseReference(text));
      expect([canonical(reference), familiar(reference)]).to.deep.equal([full, short]);
      expect(parseReference(familiar(reference))).to.deep.equal(reference);
    });
  }

  const FORMAT = 'invalid reference format';
  const bad: readonly (readonly [text: string, words: string])[] = [
    ['', FORMAT],
    [':tag', FORMAT],
    ['a:', FORMAT],
    ['-a', FORMAT],
    ['a..b', FORMAT],
    ['a_', FORMAT],
    ['a___b', FORMAT],
    ['a//b', FORMAT],
    ['/a', FORMAT],
    ['a/', FORMAT],
    ['a b', FORMAT],
    ['a\n', FORMAT],
    ['../a', FORMAT],
    ['http://a', FORMAT],
    ['a:b:c', FORMAT],
    ['a:.b', FORMAT],
    [`x:${'t'.repeat(129)}`, FORMAT],
    ['a@sha256:abc', FORMAT],
    ['é', FORMAT],
    ['a'.repeat(2000), FORMAT],
    ['Busybox', `${FORMAT}: repository name (library/Busybox) must be lowercase`],
    ['a/B:1', `${FORMAT}: repository name (a/B) must be lowercase`],
    ['a'.repeat(256), 'repository name must not be more than 255 characters'],
    ['a'.repeat(64), `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
    [`a@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    [`a@sha256:${'a'.repeat(63)}`, 'invalid checksum digest length'],
    [`a@sha256:${'A'.repeat(64)}`, 'invalid checksum digest format'],
  ];
  for (const [text, words] of bad) {
    it(`${JSON.stringify(text.slice(0, 40))} is none: ${words.slice(0, 60)}`, () => {
      expect(() => parseReference(text)).to.throw(words);
    });
  }

  it('takes another tag, where it is one', () => {
    expect(familiar(withTag(parseReference('a:1'), '2'))).to.equal('a:2');
    expect(() => withTag(parseReference('a'), 'x y')).to.throw('invalid tag format');
  });

  it('has a familiar name without its tag', () => {
    expect(familiarName(parseReference('docker.io/library/busybox:1'))).to.equal('busybox');
  });

  it('is read in a time that grows with its length alone', () => {
    for (const text of [`${'a-'.repeat(500)}!`, `${'a.'.repeat(500)}/!`, `a/${'_a'.repeat(500)}_`]) {
      expect(() => parseReference(text)).to.throw(FORMAT);
    }
  });
});
