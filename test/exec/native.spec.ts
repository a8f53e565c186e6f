import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { InvalidParameter } from '../../api/errors.ts';
import { NativeExecDriver } from '../../drivers/exec/native.ts';
import { type CgroupLayout, parseCgroupMounts } from '../../drivers/libcontainer/cgroup-layout.ts';
import { execDriverContract } from '../contract/exec-driver.ts';
import { ExecWorld } from '../contract/exec-world.ts';

const isRoot = process.getuid?.() === 0;
const needs = (...wants: readonly (readonly [what: string, isThere: boolean])[]): string | null =>
  wants.find(([, isThere]) => !isThere)?.[0] ?? null;
const busybox = ['/bin/busybox', existsSync('/bin/busybox')] as const;

describe('NativeExecDriver', function () {
  this.timeout(30_000);
  const missing = needs(['root', isRoot], busybox);
  if (missing === null) execDriverContract((execRoot) => NativeExecDriver.open(execRoot));
  else it.skip(`runs containers (needs ${missing})`);

  it('tells who listens what ran, and how long it took', async function () {
    if (missing !== null) return this.skip();
    const world = await ExecWorld.open((execRoot) => NativeExecDriver.open(execRoot));
    const operations: unknown[] = [];
    const calls: unknown[] = [];
    const hearOperation = (message: unknown) => operations.push(...operationsOf(message));
    const hearCall = (message: unknown) => calls.push(message);
    subscribe('gantry:operation', hearOperation);
    subscribe('gantry:driver', hearCall);
    try {
      await world.run(['true']);
      await world.run(['nope']).catch(() => {});
    } finally {
      unsubscribe('gantry:operation', hearOperation);
      unsubscribe('gantry:driver', hearCall);
      await world.close();
    }
    const pivots = operations.filter((each) => JSON.stringify(each).includes('pivot_root'));
    expect(pivots).to.have.lengthOf(2);
    expect(pivots[0]).to.include({ owner: 'exec', detail: 'pivot_root to the rootfs', errno: null });
    expect(operations.at(-1)).to.include({ detail: 'execve "nope"', errno: 'ENOENT' });
    expect(calls.map((each) => JSON.stringify(each)).join('\n')).to.match(
      /"method":"run".*"error":null.*\n.*"method":"forget"/,
    );
  });

  function operationsOf(message: unknown): readonly unknown[] {
    const isProgram = typeof message === 'object' && message !== null && 'operations' in message;
    if (!isProgram || typeof message.operations !== 'function') throw new TypeError('not a program that ran');
    return message.operations();
  }

  it('refuses an exec-root that leaves no room for a socket name', async () => {
    const error = await NativeExecDriver.open(`/tmp/${'x'.repeat(60)}`).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(InvalidParameter);
  });
});

/** As on a machine without v1; there the tree has controllers too, which here are the business of v1. */
describe('NativeExecDriver, where cgroup v2 is all there is', function () {
  this.timeout(30_000);
  const { v1, unified } = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const cgroups: CgroupLayout = { v1: [], unified, v2Controllers: [], cpuset: { cpus: '', mems: '' } };
  const missing = needs(['root', isRoot], busybox, ['a cgroup v2 tree', unified !== null]);
  // The same once more where there is no v1 anyhow.
  if (v1.length === 0) return;
  if (missing !== null) it.skip(`runs containers (needs ${missing})`);
  else
    execDriverContract((execRoot) => NativeExecDriver.open(execRoot, { cgroups, keyrings: true }), { limits: false });
});
