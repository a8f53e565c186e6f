import { expect } from 'chai';
import { type ContainerOptions, container, Rootfs } from './container.ts';
import { ATTACH, Monitor } from './monitor.ts';

const RANGE = 'uids and gids must be in range 0-2147483647';
const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment, and lines that are no entries
short:x
wrong:x:zero:0::/:
huge:x:4294967296:0::/:
bob:x:1000:1001:Bob:/home/bob:/bin/sh
7up:x:7:7::/seven:
0x1:x:0:0::/:
1 :x:0:0::/:
4294967296:x:0:0::/:
+5:x:0:0::/:
`;
const GROUP = `root:x:0:
wheel:x:10:root,bob
many:x:11:alice,bob,carol
nobob:x:12:bobby,abob
bob:x:1001:
`;

describe('lookup_user', function () {
  this.timeout(60_000);
  let root: Rootfs;
  before(async () => {
    root = await Rootfs.make();
    await root.write('etc/passwd', PASSWD);
    await root.write('etc/group', GROUP);
  });
  after(async () => await root.remove());

  const script = 'grep -E "^(Uid|Gid|Groups):" /proc/self/status | tr -s "\\t " " "; echo $HOME';

  async function identity(user: string, more: Partial<ContainerOptions> = {}): Promise<string> {
    const operations = container({ root, argv: ['busybox', 'sh', '-c', script], user, ...more });
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.all] });
    const outcome = await Promise.race([monitor.exited().catch(() => null), monitor.failed().catch(() => null)]);
    if (outcome && 'detail' in outcome) return outcome.detail;
    if (!outcome) return (await monitor.failed()).detail;
    await monitor.attachments[0]?.ended;
    const [uid, gid, groups, home] = monitor.attachments[0]?.text().split('\n') ?? [];
    return [uid?.split(' ')[1], gid?.split(' ')[1], groups?.slice('Groups: '.length).trim(), home].join(' | ');
  }

  const nobody = (user: string) => `unable to find user ${user}: no matching entries in passwd file`;
  const cases: readonly [user: string, expected: string][] = [
    ['', '0 | 0 | 0 10 | /root'],
    ['root', '0 | 0 | 0 10 | /root'],
    ['0', '0 | 0 | 0 10 | /root'],
    ['bob', '1000 | 1001 | 10 11 1001 | /home/bob'],
    ['1000', '1000 | 1001 | 10 11 1001 | /home/bob'],
    ['bob:wheel', '1000 | 10 | 10 | /home/bob'],
    ['bob:77', '1000 | 77 | 77 | /home/bob'],
    ['4242', '4242 | 0 | 0 | /'],
    ['4242:4243', '4242 | 4243 | 4243 | /'],
    ['1:', '1 | 0 | 0 | /'],
    ['0001', '1 | 0 | 0 | /'],
    ['+5', '5 | 0 | 0 | /'],
    ['7up', '7 | 7 | 7 | /seven'],
    ['2147483647', '2147483647 | 0 | 0 | /'],
    ['2147483648', RANGE],
    ['4294967295', RANGE],
    ['4294967296', RANGE],
    ['-1', RANGE],
    ['1000:4294967296', RANGE],
    ['9'.repeat(400), RANGE],
    ['0x1', nobody('0x1')],
    ['1 ', nobody('1 ')],
    [' 1', nobody(' 1')],
    ['wrong', nobody('wrong')],
    ['huge', nobody('huge')],
    ['ghost', nobody('ghost')],
    ['bob:ghosts', 'unable to find group ghosts: no matching entries in group file'],
  ];
  for (const [user, expected] of cases)
    it(`reads ${JSON.stringify(user.slice(0, 40))} as ${expected}`, async () => {
      expect(await identity(user)).to.equal(expected);
    });

  it('adds groups by name and number', async () => {
    expect(await identity('4242', { groups: ['many', '99'] })).to.equal('4242 | 0 | 0 11 99 | /');
    expect(await identity('4242', { groups: ['none'] })).to.match(/^Unable to find group none: /);
  });

  it('leaves HOME alone where the environment has one', async () => {
    expect(await identity('bob', { env: ['PATH=/bin', 'HOME=/mine'] })).to.match(/ \| \/mine$/);
  });

  describe('with hostile files', () => {
    let hostile: Rootfs;
    beforeEach(async () => {
      hostile = await Rootfs.make();
    });
    afterEach(async () => await hostile.remove());
    const read = (user: string) => identity(user, { root: hostile });

    it('takes numbers where there are no files at all', async () => {
      expect(await read('12:34')).to.equal('12 | 34 | 34 | /');
      expect(await read('bob')).to.equal(nobody('bob'));
    });

    it('refuses a file that is over its bound, sparse or not, and a line that is', async () => {
      const { truncate } = await import('node:fs/promises');
      await hostile.write('etc/passwd', '');
      await truncate(`${hostile.folder}/etc/passwd`, 5 * 2 ** 30);
      expect(await read('bob')).to.equal('unable to read /etc/passwd');
      await hostile.write('etc/passwd', `${'x'.repeat(2 << 20)}\nbob:x:1:1::/:\n`);
      expect(await read('bob')).to.equal('unable to read /etc/passwd');
    });

    it('takes a group once, however often it is named, and refuses more than a process can be in', async () => {
      const lines = (count: number, distinct: number) =>
        Array.from({ length: count }, (_, each) => `g::${each % distinct}:bob\n`).join('');
      await hostile.write('etc/passwd', 'bob::7:2::/:\n');
      await hostile.write('etc/group', lines(600_000, 4));
      expect(await read('bob')).to.equal('7 | 2 | 0 1 2 3 | /');
      await hostile.write('etc/group', lines(600_000, 65_537));
      expect(await read('bob')).to.equal('unable to be in 65537 groups: at most 65536 are possible');
    });

    it('refuses what is no regular file, without waiting for it', async () => {
      const { mkdir, symlink, rm } = await import('node:fs/promises');
      const passwd = `${hostile.folder}/etc/passwd`;
      await mkdir(passwd);
      expect(await read('bob')).to.equal('unable to read /etc/passwd');
      await rm(passwd, { recursive: true });
      for (const target of ['/dev/zero', '/proc/kmsg', 'passwd']) {
        await symlink(target, passwd);
        expect(await read('bob')).to.equal('unable to read /etc/passwd');
        await rm(passwd);
      }
    });
  });
});
