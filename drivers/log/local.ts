import { join } from 'node:path';
import type { LogDriver, LogWriting } from './driver.ts';
import { LocalFormat } from './local-format.ts';
import { byteSize, checkOptions, type LogOptions, MAX_FILES, truth, wholeNumber } from './options.ts';
import { readLog } from './read.ts';
import { UnusableLog } from './unusable.ts';

const OPTIONS = ['max-size', 'max-file', 'compress'];
const DEFAULT_SIZE = '20m';
const DEFAULT_FILES = '5';

/** Small and rotated by default. `compress` is checked as Docker does; rotated files stay as they are. */
export const local: LogDriver = {
  name: 'local',
  writing,
  read: (path, request) => readLog(path, request, () => new LocalFormat()),
  attributes: () => ({}),
};

function writing(folder: string, options: LogOptions): LogWriting {
  checkOptions('local', options, OPTIONS);
  const size = options['max-size'] ?? DEFAULT_SIZE;
  const files = options['max-file'] ?? DEFAULT_FILES;
  const maxSize = byteSize(size, `invalid value for max-size: ${size}: `);
  const maxFile = wholeNumber(files, `invalid value for max-file: ${files}: `);
  const isCompressed = truth(options['compress'] ?? 'true', 'error reading compress log option: ');
  if (isCompressed && maxFile <= 1) throw new UnusableLog('compression cannot be enabled when max file count is 1');
  if (maxFile < 1) throw new UnusableLog(`invalid value for max-file: ${files}: must be at least 1`);
  return { format: 'local', path: join(folder, 'local.log'), maxSize, maxFile: Math.min(maxFile, MAX_FILES) };
}
