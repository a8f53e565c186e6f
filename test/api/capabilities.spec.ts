import { expect } from 'chai';
import { CAPABILITIES, capabilitiesFor, DEFAULT_CAPABILITIES } from '../../api/capabilities.ts';

describe('capabilitiesFor', () => {
  const sorted = (names: readonly string[]) => [...names].sort();
  const without = (...names: string[]) => DEFAULT_CAPABILITIES.filter((name) => !names.includes(name));

  const table: readonly (readonly [string, string[], string[], boolean, readonly string[]])[] = [
    ['gives fourteen when nothing is asked for', [], [], false, DEFAULT_CAPABILITIES],
    ['adds one', ['NET_ADMIN'], [], false, [...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']],
    ['adds one that is there already', ['CHOWN'], [], false, DEFAULT_CAPABILITIES],
    ['adds one twice', ['NET_ADMIN', 'cap_net_admin'], [], false, [...DEFAULT_CAPABILITIES, 'CAP_NET_ADMIN']],
    [
      'takes a name with prefix and in any case',
      ['cap_Sys_Time'],
      [],
      false,
      [...DEFAULT_CAPABILITIES, 'CAP_SYS_TIME'],
    ],
    ['drops one', [], ['KILL'], false, without('CAP_KILL')],
    ['drops one that is not there', [], ['SYS_ADMIN'], false, DEFAULT_CAPABILITIES],
    ['drops what is added as well', ['SYS_TIME'], ['SYS_TIME'], false, DEFAULT_CAPABILITIES],
    ['drops all', [], ['ALL'], false, []],
    ['drops all but what is added', ['KILL', 'CHOWN'], ['all'], false, ['CAP_KILL', 'CAP_CHOWN']],
    ['adds all', ['ALL'], [], false, CAPABILITIES],
    ['adds all but what is dropped', ['ALL'], ['MKNOD'], false, CAPABILITIES.filter((name) => name !== 'CAP_MKNOD')],
    ['gives all to the privileged', [], ['ALL'], true, CAPABILITIES],
  ];
  for (const [fact, add, drop, privileged, expected] of table) {
    it(fact, () => {
      expect(sorted(capabilitiesFor(add, drop, privileged))).to.deep.equal(sorted(expected));
    });
  }

  it('refuses a name that Linux does not have', () => {
    expect(() => capabilitiesFor(['FLY'], [], false)).to.throw('invalid capability: "FLY"');
    expect(() => capabilitiesFor([], [''], true)).to.throw('invalid capability: ""');
  });
});
