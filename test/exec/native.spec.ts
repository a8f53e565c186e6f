import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { NativeExecDriver } from '../../drivers/exec/native.ts';
import { type CgroupLayout, parseCgroupMounts } from '../../drivers/libcontainer/cgroup-layout.ts';
import { execDriverContract } from '../contract/exec-driver.ts';

const isRoot = process.getuid?.() === 0;
const needs = (...wants: readonly (readonly [what: string, isThere: boolean])[]): string | null =>
  wants.find(([, isThere]) => !isThere)?.[0] ?? null;
const busybox = ['/bin/busybox', existsSync('/bin/busybox')] as const;

describe('NativeExecDriver', function () {
  this.timeout(30_000);
  const missing = needs(['root', isRoot], busybox);
  if (missing === null) execDriverContract((execRoot) => NativeExecDriver.open(execRoot));
  else it.skip(`runs containers (needs ${missing})`);

  it('refuses an exec-root that leaves no room for a socket name', async () => {
    const error = await NativeExecDriver.open(`/tmp/${'x'.repeat(60)}`).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(InvalidParameter);
  });
});

/** As on a machine without v1; there the tree has controllers too, which here are the business of v1. */
describe('NativeExecDriver, where cgroup v2 is all there is', function () {
  this.timeout(30_000);
  const { unified } = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const cgroups: CgroupLayout = { v1: [], unified, v2Controllers: [], cpuset: { cpus: '', mems: '' } };
  const missing = needs(['root', isRoot], busybox, ['a cgroup v2 tree', unified !== null]);
  if (missing !== null) it.skip(`runs containers (needs ${missing})`);
  else
    execDriverContract((execRoot) => NativeExecDriver.open(execRoot, { cgroups, keyrings: true }), { limits: false });
});
