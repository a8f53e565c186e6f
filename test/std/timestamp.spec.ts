import { expect } from 'chai';
import { fromRFC3339, now, toRFC3339 } from '../../std/timestamp.ts';

describe('timestamp', () => {
  it('is written as Go writes it: without trailing zeros', () => {
    const second = 1_714_550_400n * 1_000_000_000n;
    expect(toRFC3339(second)).to.equal('2024-05-01T08:00:00Z');
    expect(toRFC3339(second + 120_000_000n)).to.equal('2024-05-01T08:00:00.12Z');
    expect(toRFC3339(second + 1n)).to.equal('2024-05-01T08:00:00.000000001Z');
  });

  it('is read back to the nanosecond, in any zone', () => {
    for (const text of ['2024-05-01T08:00:00Z', '2024-05-01T08:00:00.123456789Z', '1999-12-31T23:59:59.5Z'])
      expect(toRFC3339(fromRFC3339(text) ?? 0n)).to.equal(text);
    expect(fromRFC3339('2024-05-01T10:00:00+02:00')).to.equal(fromRFC3339('2024-05-01T08:00:00Z'));
  });

  it('is null where it is none', () => {
    for (const text of [
      '',
      'now',
      '2024-05-01',
      '2024-13-01T00:00:00Z',
      '2024-05-01T08:00:00',
      '2024-05-01T08:00:00.Z',
    ])
      expect(fromRFC3339(text), text).to.equal(null);
  });

  it('of now is between two readings of the clock', () => {
    const before = BigInt(Date.now() - 1000) * 1_000_000n;
    const instant = now();
    expect(instant > before && instant < BigInt(Date.now() + 1000) * 1_000_000n).to.equal(true);
  });
});
