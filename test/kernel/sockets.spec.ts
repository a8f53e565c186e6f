import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { close } from '../../drivers/libcontainer/kernel/descriptors.ts';
import { NetlinkSocket } from '../../drivers/libcontainer/kernel/netlink.ts';
import { ended, sendSignal, spawn } from '../../drivers/libcontainer/kernel/process.ts';
import {
  listenUnix,
  peerCredentials,
  receiveDescriptors,
  sendDescriptors,
  socketIn,
  socketPair,
} from '../../drivers/libcontainer/kernel/sockets.ts';
import { connected } from '../stand-ins/sockets.ts';

const NETLINK_ROUTE = 0;

describe('sockets', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp('/tmp/g-sock-');
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  it('come in connected pairs', async () => {
    const [ours, theirs] = socketPair().map((fd) => connected(fd));
    ours?.end('hello');
    expect(theirs && (await text(theirs))).to.equal('hello');
    theirs?.destroy();
  });

  it('tell who is at the other end', () => {
    const [ours, theirs] = socketPair();
    expect(peerCredentials(ours)).to.deep.equal({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    [ours, theirs].forEach(close);
  });

  it('pass descriptors along with bytes', async () => {
    await writeFile(join(folder, 'file'), 'content');
    const file = openSync(join(folder, 'file'), 'r');
    const [ours, theirs] = socketPair();
    expect(sendDescriptors(ours, Buffer.from('here'), [file, file])).to.equal(4);
    const { bytes, fds } = await receiveDescriptors(theirs, 64);
    expect(bytes.toString()).to.equal('here');
    expect(fds).to.have.length(2);
    expect(readFileSync(fds[0] ?? -1, 'utf8')).to.equal('content');
    for (const fd of [...fds, file, ours, theirs]) closeSync(fd);
  });

  it('that listen have their mode from the start, whatever the umask', async () => {
    const path = join(folder, 'sock');
    const server = createServer((socket) => socket.end('served'));
    const before = process.umask(0);
    try {
      server.listen({ fd: listenUnix(path, 0o600) });
    } finally {
      process.umask(before);
    }
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await text(connect(path))).to.equal('served');
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('another network namespace', () => {
  let namespace = -1;
  let pidfd = -1;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    const [ours, theirs] = socketPair();
    const script = 'exec unshare --net sh -c "echo ready; exec sleep 60"';
    const argv = ['sh', '-c', script];
    const child = await spawn({ executable: '/bin/sh', argv, env: ['PATH=/usr/bin:/bin'], fds: [null, theirs, null] });
    close(theirs);
    pidfd = child.pidfd;
    const output = connected(ours);
    await new Promise((resolve) => output.once('data', resolve));
    output.destroy();
    namespace = openSync(`/proc/${child.pid}/ns/net`, 'r');
  });
  after(async () => {
    if (namespace < 0) return;
    closeSync(namespace);
    const ending = ended(pidfd);
    sendSignal(pidfd, 9);
    await ending;
  });

  /** RTM_GETLINK for all links: one message a link. */
  const dump = Buffer.alloc(32);
  dump.writeUInt32LE(32, 0);
  dump.writeUInt16LE(18, 4);
  dump.writeUInt16LE(0x301, 6);

  it('is where a socket can be made, and we stay where we are', async () => {
    const here = readFileSync('/proc/self/net/dev', 'utf8');
    const fd = await socketIn(namespace, 2, 1, 0);
    expect(readFileSync('/proc/self/net/dev', 'utf8').split('\n').length).to.equal(here.split('\n').length);
    closeSync(fd);
  });

  it('has links of its own, as netlink tells', async () => {
    using there = await NetlinkSocket.openIn(namespace, NETLINK_ROUTE);
    const links = await there.talk(dump);
    const NEWLINK = 16;
    expect(links.every(({ type }) => type === NEWLINK)).to.equal(true);
    expect(links.map(({ payload }) => payload.readInt32LE(4))).to.include(1);
    using here = NetlinkSocket.open(NETLINK_ROUTE);
    expect(here.talkSync(dump).length).to.be.greaterThanOrEqual(1);
  });

  it('answers a request that fails with its errno', () => {
    using here = NetlinkSocket.open(NETLINK_ROUTE);
    const request = Buffer.alloc(32);
    request.writeUInt32LE(32, 0);
    request.writeUInt16LE(17, 4);
    request.writeUInt16LE(5, 6);
    request.writeInt32LE(0x7fff_fff0, 20);
    expect(() => here.talkSync(request)).to.throw('ENODEV');
  });

  it('refuses bytes that are no messages', () => {
    using here = NetlinkSocket.open(NETLINK_ROUTE);
    expect(() => here.talkSync(Buffer.alloc(3))).to.throw('EINVAL');
  });
});
