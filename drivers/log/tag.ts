/** The tag of a log, `--log-opt tag='{{.Name}}/{{.ID}}'`: Docker's template, as far as it names fields. */
import type { LogSubject } from './driver.ts';
import { UnusableLog } from './unusable.ts';

const SHORT_ID = 12;
const FIELDS: Readonly<Record<string, (subject: LogSubject) => string>> = {
  ID: ({ id }) => id.slice(0, SHORT_ID),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageID }) => imageID.replace(/^sha256:/, '').slice(0, SHORT_ID),
  ImageFullID: ({ imageID }) => imageID,
  ImageName: ({ imageName }) => imageName,
  DaemonName: () => 'docker',
};
const ACTION = /\{\{(.*?)\}\}/gs;

/** Fails with UnusableLog for what cannot be filled in. */
export function checkTag(template: string): void {
  if (template.replace(ACTION, '').includes('{{')) throw new UnusableLog('template: log-tag:1: unclosed action');
  for (const [, action = ''] of template.matchAll(ACTION)) {
    if (field(action) !== null) continue;
    const word = action.trim();
    throw new UnusableLog(
      `template: log-tag:1:2: executing "log-tag" at <${word}>: can't evaluate field ${word.replace(/^\./, '')} in type *logger.Info`,
    );
  }
}

export function renderTag(template: string, subject: LogSubject): string {
  return template.replace(ACTION, (_all, action: string) => field(action)?.(subject) ?? '');
}

function field(action: string): ((subject: LogSubject) => string) | null {
  const name = /^\s*\.(\w+)\s*$/.exec(action)?.[1] ?? '';
  return Object.hasOwn(FIELDS, name) ? (FIELDS[name] ?? null) : null;
}
