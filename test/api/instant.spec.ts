import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { parseInstant } from '../../api/instant.ts';

const NOW = 1_714_557_600_000_000_000n;
const local = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;

describe('instants of since and until', () => {
  const good: readonly (readonly [text: string, instant: bigint | null])[] = [
    ['', null],
    ['0', 0n],
    ['1714557600', NOW],
    ['1714557600.5', NOW + 500_000_000n],
    ['1714557600.000000001', NOW + 1n],
    ['10m', NOW - 600_000_000_000n],
    ['1h30m', NOW - 5_400_000_000_000n],
    ['1.5h', NOW - 5_400_000_000_000n],
    ['100ms', NOW - 100_000_000n],
    ['-10s', NOW + 10_000_000_000n],
    ['2024-05-01T10:00:00Z', NOW],
    ['2024-05-01T10:00:00.000000001Z', NOW + 1n],
    ['2024-05-01T12:00:00+02:00', NOW],
    ['2024-05-01T10:00:00', local('2024-05-01T10:00:00')],
    ['2024-05-01T10:00', local('2024-05-01T10:00:00')],
    ['2024-05-01T10', local('2024-05-01T10:00:00')],
    ['2024-05-01', local('2024-05-01T00:00:00')],
    ['2024-05-01Z', NOW - 36_000_000_000_000n],
  ];
  for (const [text, instant] of good) {
    it(`${JSON.stringify(text)} is understood`, () => {
      expect(parseInstant(text, NOW)).to.equal(instant);
    });
  }

  const bad: readonly (readonly [text: string, words: string])[] = [
    ['abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['1.x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['99999999999999999999', 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    ['2024-13-01', 'strconv.ParseInt: parsing "2024-13-01": invalid syntax'],
  ];
  for (const endless of ['1'.repeat(1e6), '1s'.repeat(1e6), `${'1'.repeat(1e6)}h`, `0.${'1'.repeat(1e6)}`]) {
    it(`${endless.slice(0, 4)}… of ${endless.length} characters is refused`, () => {
      expect(() => parseInstant(endless, NOW)).to.throw(
        InvalidParameter,
        /^strconv\.ParseInt: .{0,300}value out of range$/,
      );
    });
  }

  for (const [text, words] of bad) {
    it(`${JSON.stringify(text)} is refused: ${words}`, () => {
      expect(() => parseInstant(text, NOW)).to.throw(words);
    });
  }
});
