import { expect } from 'chai';
import { jsonFile } from '../../drivers/log/json-file.ts';
import { local } from '../../drivers/log/local.ts';

describe('log options', () => {
  const sizes = (driver: typeof jsonFile, options: Readonly<Record<string, string>>) => {
    const { maxSize, maxFile } = driver.writing('/c/id', options);
    return [maxSize, maxFile];
  };

  it('are what Docker takes where nothing is said', () => {
    expect(jsonFile.writing('/c/id', {})).to.include({ path: '/c/id/id-json.log', maxSize: 0, maxFile: 1 });
    expect(local.writing('/c/id', {})).to.include({ path: '/c/id/local.log', maxSize: 20_000_000, maxFile: 5 });
  });

  it('have sizes in thousands', () => {
    expect(sizes(jsonFile, { 'max-size': '10m', 'max-file': '3' })).to.deep.equal([10_000_000, 3]);
    expect(sizes(local, { 'max-size': '1.5k', compress: 'false' })).to.deep.equal([1500, 5]);
  });

  it('stay within what a monitor can count, however much is asked for', () => {
    for (const driver of [jsonFile, local]) {
      const most = [Number.MAX_SAFE_INTEGER, 65_535];
      expect(sizes(driver, { 'max-size': '99999p', 'max-file': '100000' })).to.deep.equal(most);
    }
  });

  const refused: readonly (readonly [options: Readonly<Record<string, string>>, words: string])[] = [
    [{ 'max-size': '0' }, 'max-size must be a positive number'],
    [{ 'max-size': 'much' }, "invalid size: 'much'"],
    [{ 'max-file': '0' }, 'max-file cannot be less than 1'],
    [{ 'max-file': '1.5' }, 'strconv.Atoi: parsing "1.5": invalid syntax'],
    [{ 'max-file': '9007199254740993' }, 'value out of range'],
    [{ compress: 'true' }, 'compress cannot be true when max-file is less than 2 or max-size is not set'],
    [{ speed: 'high' }, "unknown log opt 'speed' for json-file log driver"],
  ];
  for (const [options, words] of refused) {
    it(`${JSON.stringify(options)} are none of json-file's`, () => {
      expect(() => jsonFile.writing('/c/id', options)).to.throw(words);
    });
  }
});
