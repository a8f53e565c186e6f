/** For `mocha --require`: an emulated processor takes its time, so every test has several times as much. */
import type { Context } from 'mocha';

const PATIENCE = 5;

export const mochaHooks = {
  beforeEach(this: Context): void {
    this.currentTest?.timeout(this.currentTest.timeout() * PATIENCE);
  },
};
