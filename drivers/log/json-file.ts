import { basename, join } from 'node:path';
import { attributesOf } from './attributes.ts';
import type { LogDriver, LogWriting } from './driver.ts';
import { JsonFormat } from './json-format.ts';
import {
  byteSize,
  checkAttributeOptions,
  checkOptions,
  type LogOptions,
  MAX_FILES,
  truth,
  wholeNumber,
} from './options.ts';
import { readLog } from './read.ts';
import { UnusableLog } from './unusable.ts';

const OPTIONS = ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'];

/**
 * Docker's default. `compress` is checked as Docker does; rotated files stay as they are, so that a reader can begin
 * anywhere in them.
 */
export const jsonFile: LogDriver = {
  name: 'json-file',
  writing,
  read: (path, request) => readLog(path, request, () => new JsonFormat()),
  attributes: attributesOf,
};

function writing(folder: string, options: LogOptions): LogWriting {
  checkOptions('json-file', options, OPTIONS);
  const maxSize = options['max-size'] === undefined ? null : byteSize(options['max-size']);
  if (maxSize === 0) throw new UnusableLog('max-size must be a positive number');
  const maxFile = wholeNumber(options['max-file'] ?? '1');
  if (maxFile < 1) throw new UnusableLog('max-file cannot be less than 1');
  if (truth(options['compress'] ?? 'false') && (maxFile === 1 || maxSize === null)) {
    throw new UnusableLog('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  checkAttributeOptions(options);
  const path = join(folder, `${basename(folder)}-json.log`);
  return { format: 'json-file', path, maxSize: maxSize ?? 0, maxFile: Math.min(maxFile, MAX_FILES) };
}
