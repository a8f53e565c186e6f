/**
 * Lines of progress as Docker's clients read them (`jsonmessage`): one JSON object each, ended by CR LF. `progress` is the
 * bar that old clients print as it is; new ones draw their own from `progressDetail`.
 */
export interface ProgressMessage {
  /** Printed as it is. */
  readonly stream?: string;
  readonly status?: string;
  /** What the line is about: a line of the same id replaces it on a terminal. */
  readonly id?: string;
  /** Bytes. */
  readonly progressDetail?: { readonly current: number; readonly total: number };
}

const BAR = 50;
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export function progressLine({ progressDetail, ...message }: ProgressMessage): string {
  const detail = progressDetail && { progressDetail, progress: bar(progressDetail) };
  return `${JSON.stringify({ ...message, ...detail })}\r\n`;
}

function bar({ current, total }: { readonly current: number; readonly total: number }): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(BAR, Math.floor((current / total) * 100) >> 1);
  const box = `[${'='.repeat(filled)}>${' '.repeat(BAR - filled)}]`;
  const counts = current > total ? '' : `/${humanSize(total)}`;
  return `${box} ${humanSize(current).padStart(8)}${counts}`;
}

/** Four digits at most and a unit, in powers of a thousand: `2.129MB`. */
function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`;
}
