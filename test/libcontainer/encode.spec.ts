import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { encodeProgram, MAX_PROGRAM_BYTES } from '../../drivers/libcontainer/encode.ts';
import type { Operation } from '../../drivers/libcontainer/program.ts';

const execve = (argv: readonly string[], env: readonly string[] = []): Operation => ({
  op: 'execve',
  owner: 't',
  argv,
  env,
});

describe('encodeProgram', () => {
  it('writes a header, and an operation as code, size and fields', () => {
    const bytes = encodeProgram([
      { op: 'setsid', owner: 't' },
      { op: 'rlimit', owner: 't', resource: 7, soft: 1n, hard: 0xffff_ffff_ffff_ffffn, flags: 1 },
      { op: 'oom_score_adj', owner: 't', value: -2, flags: 0 },
    ]);
    expect(bytes.toString('hex')).to.equal(
      [
        '474b5031',
        '44000000',
        '03000000',
        '28000000',
        '00000000',
        '2a000000',
        '18000000',
        '07000000',
        '0100000000000000',
        'ffffffffffffffff',
        '01000000',
        '2b000000',
        '08000000',
        'feffffff',
        '00000000',
      ].join(''),
    );
  });

  it('writes strings with their length and a NUL, in UTF-8', () => {
    const bytes = encodeProgram([execve(['é', ''], ['A=1'])]);
    expect(bytes.subarray(20).toString('hex')).to.equal(
      '02000000' + '02000000c3a900' + '0000000000' + '01000000' + '03000000413d3100',
    );
  });

  it('writes bytes with their length', () => {
    const bytes = encodeProgram([{ op: 'seccomp', owner: 't', filter: Uint8Array.of(1, 2, 3) }]);
    expect(bytes.subarray(20).toString('hex')).to.equal('03000000010203');
  });

  it('grows with what is written', () => {
    const words = Array.from({ length: 1000 }, (_, index) => `${index}`.repeat(50));
    const bytes = encodeProgram([execve(words)]);
    expect(bytes.readUInt32LE(4)).to.equal(bytes.length);
    for (const word of words) expect(bytes.includes(word)).to.equal(true);
  });

  it('refuses a NUL in a string', () => {
    expect(() => encodeProgram([execve(['a\0b'])])).to.throw(InvalidParameter, /NUL byte/);
  });

  it('refuses a program that is too large', () => {
    expect(() => encodeProgram([execve(['x'.repeat(MAX_PROGRAM_BYTES)])])).to.throw(
      InvalidParameter,
      'argument list too long',
    );
  });
});
