import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { expect } from 'chai';
import type { OciDeviceRule } from '../../api/oci.ts';
import { parseCgroupMounts } from '../../drivers/libcontainer/cgroup-layout.ts';
import { deviceFilter } from '../../drivers/libcontainer/device-filter.ts';
import { DEFAULT_DEVICE_RULES } from '../../drivers/libcontainer/devices.ts';
import { ended, spawn } from '../../drivers/libcontainer/kernel/process.ts';
import { SLOT } from '../../drivers/libcontainer/program.ts';
import { runProgram } from '../../drivers/libcontainer/run-program.ts';

const DENY_ALL: OciDeviceRule = { allow: false, type: 'a', major: null, minor: null, access: 'rwm' };
const ALLOW_ALL: OciDeviceRule = { ...DENY_ALL, allow: true };
const character = (allow: boolean, major: number, minor: number, access: string): OciDeviceRule => ({
  allow,
  type: 'c',
  major,
  minor,
  access,
});

/** Runs a filter as the kernel would. */
function isAllowed(filter: Buffer, type: 'b' | 'c', major: number, minor: number, access: string): boolean {
  const wanted = [...access].reduce((bits, letter) => bits | ({ m: 1, r: 2, w: 4 }[letter] ?? 0), 0);
  const context = [(wanted << 16) | (type === 'b' ? 1 : 2), major, minor];
  const registers = new Array<number>(11).fill(0);
  for (let at = 0; ; at++) {
    const code = filter.readUInt8(at * 8);
    const [to, from] = [filter.readUInt8(at * 8 + 1) & 15, filter.readUInt8(at * 8 + 1) >> 4];
    const [offset, value] = [filter.readInt16LE(at * 8 + 2), filter.readInt32LE(at * 8 + 4)];
    const [left = 0, right = 0] = [registers[to], registers[from]];
    if (code === 0x95) return registers[0] === 1;
    if (code === 0x61) registers[to] = context[offset / 4] ?? 0;
    else if (code === 0xbf) registers[to] = right;
    else if (code === 0xb7) registers[to] = value;
    else if (code === 0x57) registers[to] = left & value;
    else if (code === 0x77) registers[to] = left >>> value;
    else if (code === 0x15) at += left === value ? offset : 0;
    else if (code === 0x55) at += left !== value ? offset : 0;
    else if (code === 0x5d) at += left !== right ? offset : 0;
    else throw new Error(`instruction ${code}`);
  }
}

function compiled(...rules: OciDeviceRule[]): Buffer {
  const filter = deviceFilter(rules);
  if (filter === null) throw new Error('nothing to refuse');
  return filter;
}

describe('deviceFilter', () => {
  it('has nothing to do where all is allowed', () => {
    expect(deviceFilter([ALLOW_ALL, ...DEFAULT_DEVICE_RULES])).to.equal(null);
    expect(deviceFilter([DENY_ALL, ALLOW_ALL])).to.equal(null);
  });

  it('refuses what no rule allows', () => {
    const filter = compiled(DENY_ALL, ...DEFAULT_DEVICE_RULES);
    for (const [type, major, minor, access, allowed] of [
      ['c', 1, 3, 'rw', true],
      ['c', 136, 17, 'rw', true],
      ['c', 1, 1, 'r', false],
      ['b', 8, 0, 'r', false],
      ['b', 8, 0, 'm', true],
      ['c', 1, 1, 'm', true],
      ['c', 1, 1, 'rm', false],
      ['b', 1, 3, 'r', false],
    ] as const) {
      expect(isAllowed(filter, type, major, minor, access), `${type} ${major}:${minor} ${access}`).to.equal(allowed);
    }
  });

  it('lets the last rule decide', () => {
    const filter = compiled(ALLOW_ALL, character(false, 5, 1, 'rwm'), character(true, 5, 1, 'r'));
    expect(isAllowed(filter, 'c', 5, 1, 'r')).to.equal(true);
    expect(isAllowed(filter, 'c', 5, 1, 'rw')).to.equal(false);
    expect(isAllowed(filter, 'c', 9, 9, 'rwm')).to.equal(true);
  });

  it('refuses whatever has a part of what is refused', () => {
    const filter = compiled(ALLOW_ALL, character(false, 5, 1, 'w'));
    expect(isAllowed(filter, 'c', 5, 1, 'r')).to.equal(true);
    expect(isAllowed(filter, 'c', 5, 1, 'rw')).to.equal(false);
  });
});

describe('device_filter', () => {
  const { unified } = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const missing = process.getuid?.() !== 0 ? 'root' : unified === null ? 'a cgroup v2 tree' : null;
  if (missing !== null) {
    it.skip(`binds who is in the cgroup (needs ${missing})`);
    return;
  }
  const folder = `${unified}/gantry-devices-${process.pid}`;
  before(() => mkdirSync(folder));
  after(() => rmdirSync(folder));

  async function canWrite(device: string): Promise<boolean> {
    const procs = openSync(`${folder}/cgroup.procs`, 'w');
    try {
      const argv = ['sh', '-c', `: > ${device}`];
      const { pidfd } = await spawn({ executable: '/bin/sh', argv, env: [], fds: [null, null, null], cgroup: procs });
      const ending = await ended(pidfd);
      return ending.kind === 'exited' && ending.code === 0;
    } finally {
      closeSync(procs);
    }
  }

  it('binds who is in the cgroup', async () => {
    expect([await canWrite('/dev/null'), await canWrite('/dev/zero')]).to.deep.equal([true, true]);
    await runProgram([
      { op: 'open', owner: 'test', slot: SLOT.firstFree, path: folder, openFlags: 0o200000, flags: 0 },
      {
        op: 'device_filter',
        owner: 'test',
        slot: SLOT.firstFree,
        program: compiled(DENY_ALL, character(true, 1, 3, 'rw')),
      },
    ]);
    expect([await canWrite('/dev/null'), await canWrite('/dev/zero')]).to.deep.equal([true, false]);
  });
});
