import type { LogDriver } from './driver.ts';

/** What the container writes goes to those who are attached, and nowhere else. Docker takes any option here. */
export const none: LogDriver = {
  name: 'none',
  writing: () => ({ format: 'none', path: '', maxSize: 0, maxFile: 1 }),
  read: null,
  attributes: () => ({}),
};
