import { InvalidParameter } from '../../api/errors.ts';
import type { ConsoleSize } from './attachments.ts';

/** struct winsize (ioctl_tty(2)). */
const MAX = 65_535;

/** Height and width as a query string has them. Fails with InvalidParameter in the words of Go's strconv. */
export function parseConsoleSize(height: string, width: string): ConsoleSize {
  return [cells(height), cells(width)];
}

function cells(text: string): number {
  if (!/^\+?\d+$/.test(text)) {
    throw new InvalidParameter(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (value > MAX) throw new InvalidParameter(`strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}
