import { expect } from 'chai';
import { DetachWatch, parseDetachKeys } from '../../../jobs/containers/detach-keys.ts';

describe('detach keys', () => {
  const lists: readonly (readonly [text: string, codes: number[] | null])[] = [
    ['', []],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-a,x', [1, 120]],
    ['ctrl-@', [0]],
    ['ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [27, 28, 29, 30, 31]],
    ['DEL', [127]],
    ['foo', null],
    ['ctrl-', null],
    ['ctrl-P', null],
    ['a,', null],
    ['é', null],
  ];
  for (const [text, codes] of lists) {
    it(`${JSON.stringify(text)} means ${codes === null ? 'nothing' : codes.join(' ')}`, () => {
      expect(parseDetachKeys(text)).to.deep.equal(codes);
    });
  }

  const typed: readonly (readonly [what: string, chunks: string[], passed: string, isDetached: boolean])[] = [
    ['other keys pass', ['hello'], 'hello', false],
    ['what comes before the keys passes', ['ls\n\x10\x11'], 'ls\n', true],
    ['what comes after them does not', ['\x10\x11rm -rf'], '', true],
    ['they may come one by one', ['\x10', '\x11'], '', true],
    ['the first alone is held back and then passes', ['\x10', 'x'], '\x10x', false],
    ['twice the first passes', ['\x10\x10'], '\x10\x10', false],
  ];
  for (const [what, chunks, passed, isDetached] of typed) {
    it(what, () => {
      const watch = new DetachWatch([]);
      let last = false;
      let bytes = '';
      for (const chunk of chunks) {
        const each = watch.pass(Buffer.from(chunk, 'latin1'));
        bytes += each.bytes.toString('latin1');
        last = each.isDetached;
      }
      expect([bytes, last]).to.deep.equal([passed, isDetached]);
    });
  }
});
