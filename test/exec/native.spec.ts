import { existsSync } from 'node:fs';
import { NativeExecDriver } from '../../drivers/exec/native.ts';
import { execDriverContract } from '../contract/exec-driver.ts';

describe('NativeExecDriver', function () {
  this.timeout(30_000);
  const missing = process.getuid?.() !== 0 ? 'root' : existsSync('/bin/busybox') ? null : '/bin/busybox';
  if (missing === null) execDriverContract((execRoot) => NativeExecDriver.open(execRoot));
  else it.skip(`runs containers (needs ${missing})`, () => {});
});
