import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { parseSignal } from '../../api/signals.ts';

describe('signals', () => {
  const KNOWN: readonly [text: string, number: number][] = [
    ['KILL', 9],
    ['SIGKILL', 9],
    ['sigterm', 15],
    ['15', 15],
    ['USR2', 12],
    ['SYS', 31],
    ['POLL', 29],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['64', 64],
  ];
  for (const [text, number] of KNOWN) it(`${text} is ${number}`, () => expect(parseSignal(text)).to.equal(number));

  for (const text of ['', '0', 'foo', 'RTMIN-1', 'RTMAX+1', 'RTMIN+31', '65', '-1', '32', ' 9', '9.5']) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(() => parseSignal(text)).to.throw(InvalidParameter));
  }
});
