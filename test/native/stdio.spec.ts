import { once } from 'node:events';
import { expect } from 'chai';
import { type ContainerOptions, container, Rootfs } from './container.ts';
import { ATTACH, FRAME, Monitor } from './monitor.ts';

describe('stdio of gantry-init', function () {
  this.timeout(60_000);
  let root: Rootfs;
  before(async () => {
    root = await Rootfs.make();
  });
  after(async () => await root.remove());

  const shell = (script: string, more: Partial<ContainerOptions> = {}) =>
    container({ root, argv: ['busybox', 'sh', '-c', script], ...more });

  it('gives an attachment the streams it asked for', async () => {
    const attach = [ATTACH.stdout, ATTACH.stderr, ATTACH.all];
    await using monitor = await Monitor.start({ operations: shell('echo out; echo err >&2'), attach });
    await Promise.all(monitor.attachments.map((each) => each.ended));
    const heard = monitor.attachments.map((each) => [each.text(), each.text(FRAME.stderr)]);
    expect(heard).to.deep.equal([
      ['out\n', ''],
      ['', 'err\n'],
      ['out\n', 'err\n'],
    ]);
  });

  it('reads /dev/null where stdin is not kept open', async () => {
    await using monitor = await Monitor.start({ operations: shell('cat; echo end'), attach: [ATTACH.all] });
    monitor.attachments[0]?.send(FRAME.stdin, 'unheard');
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text()).to.equal('end\n');
  });

  it('carries stdin, more than any buffer, and its end', async () => {
    const operations = shell('wc -c');
    await using monitor = await Monitor.start({ operations, options: { stdin: 1 }, attach: [ATTACH.all] });
    const [peer] = monitor.attachments;
    const chunk = Buffer.alloc(1 << 20, 'x');
    for (let i = 0; i < 32; i++) peer?.send(FRAME.stdin, chunk);
    peer?.send(FRAME.closeStdin);
    await peer?.ended;
    expect(peer?.text().trim()).to.equal(String(32 << 20));
  });

  it('holds a writer of stdin back while nobody reads it', async () => {
    const operations = shell('echo up; sleep 1000');
    await using monitor = await Monitor.start({ operations, options: { stdin: 1 }, attach: [ATTACH.all] });
    const [peer] = monitor.attachments;
    await peer?.frame(FRAME.stdout);
    for (let i = 0; i < 64; i++) peer?.send(FRAME.stdin, Buffer.alloc(1 << 16));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(peer?.connection.writableLength).to.be.greaterThan(1 << 20);
    monitor.signal(9);
    expect(await monitor.exited()).to.include({ code: 137 });
  });

  it('keeps stdin for the next when an attachment goes', async () => {
    const operations = shell('echo up; cat');
    await using monitor = await Monitor.start({ operations, options: { stdin: 1 }, attach: [ATTACH.all] });
    await monitor.attachments[0]?.frame(FRAME.stdout);
    monitor.attachments[0]?.connection.destroy();
    const second = await monitor.connect(FRAME.helloAttach, ATTACH.all);
    second.send(FRAME.stdin, 'hello\n');
    await second.frame(FRAME.stdout);
    second.send(FRAME.closeStdin);
    await second.ended;
    expect(second.text()).to.equal('hello\n');
    expect(await monitor.exited()).to.include({ code: 0 });
  });

  it('answers who connects later with its state, and goes on without the one that was there first', async () => {
    await using monitor = await Monitor.start({
      operations: shell('cat; exit 4'),
      options: { stdin: 1 },
      attach: [ATTACH.all],
    });
    const started = await monitor.started();
    monitor.control.connection.destroy();
    const control = await monitor.connect(FRAME.helloControl);
    const state = JSON.parse((await control.frame(FRAME.state)).toString());
    expect(state).to.deep.equal({ pid: started.pid, at: started.at, warnings: [] });
    monitor.attachments[0]?.send(FRAME.closeStdin);
    expect(JSON.parse((await control.frame(FRAME.exited)).toString())).to.include({ code: 4 });
    await control.ended;
  });

  it('closes on a peer that does not speak the protocol, and on nobody else', async () => {
    await using monitor = await Monitor.start({
      operations: shell('echo up; cat'),
      options: { stdin: 1 },
      attach: [ATTACH.all],
    });
    await monitor.attachments[0]?.frame(FRAME.stdout);
    const stranger = await monitor.connect(0x77);
    const loud = await monitor.connect(FRAME.helloAttach, ATTACH.all);
    loud.connection.write(Buffer.from([0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
    await Promise.all([stranger.ended, loud.ended]);
    monitor.attachments[0]?.send(FRAME.closeStdin);
    expect(await monitor.exited()).to.include({ code: 0 });
  });

  it('keeps what a slow reader has not read, and gives it all in order', async () => {
    const operations = shell('seq 1 1000000');
    await using monitor = await Monitor.start({ operations, attach: [ATTACH.stdout, ATTACH.stdout] });
    const [slow, quick] = monitor.attachments;
    slow?.connection.pause();
    const exited = await monitor.exited();
    await quick?.ended;
    expect(exited.code).to.equal(0);
    expect(quick?.text().endsWith('999999\n1000000\n')).to.equal(true);
    slow?.connection.resume();
    await slow?.ended;
    expect(slow?.text() === quick?.text()).to.equal(true);
  });

  it('holds the process back behind a reader until that reads on', async () => {
    const operations = shell('seq 1 1000000; echo end >&2');
    const options = { spool: 2 << 20 };
    await using monitor = await Monitor.start({ operations, options, attach: [ATTACH.stdout, ATTACH.all] });
    const [slow, quick] = monitor.attachments;
    slow?.connection.pause();
    await quick?.until(() => quick.frames.length > 16 || undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(quick?.text(FRAME.stderr)).to.equal('');
    slow?.connection.resume();
    await Promise.all([slow?.ended, quick?.ended]);
    expect(quick?.text(FRAME.stderr)).to.equal('end\n');
    expect(slow?.text() === Array.from({ length: 1_000_000 }, (_, index) => `${index + 1}\n`).join('')).to.equal(true);
  });

  it('holds the process back behind a reader that stands still, then cuts it off and goes on', async () => {
    const megabytes = 16;
    const operations = shell(`dd if=/dev/zero bs=1M count=${megabytes} 2>/dev/null`);
    const options = { spool: 2 << 20, patience: 1500 };
    await using monitor = await Monitor.start({ operations, options, attach: [ATTACH.stdout, ATTACH.stdout] });
    const [still, other] = monitor.attachments;
    still?.connection.pause();
    await other?.ended;
    expect(other?.bytes(FRAME.stdout)).to.have.length(megabytes << 20);
    still?.connection.resume();
    await still?.ended;
    expect(still?.text(FRAME.systemError)).to.match(/cut off/);
    expect(still?.bytes(FRAME.stdout).length).to.be.lessThan(megabytes << 20);
  });

  describe('with a terminal', () => {
    const tty = { tty: 1, stdin: 1 };

    it('is the controlling terminal, of the size asked for, and follows a new size', async () => {
      const script =
        'test -t 0 && tty && stty size; trap "stty size; exit 5" WINCH; echo on > /dev/console; while :; do sleep 0.05; done';
      const operations = shell(script, { tty: true });
      await using monitor = await Monitor.start({
        operations,
        options: { ...tty, height: 25, width: 81 },
        attach: [ATTACH.all],
      });
      const [peer] = monitor.attachments;
      await peer?.until(() => peer.text().includes('on\r\n') || undefined);
      expect(peer?.text()).to.equal('/dev/pts/0\r\n25 81\r\non\r\n');
      const size = Buffer.alloc(8);
      size.writeUInt32BE(40, 0);
      size.writeUInt32BE(120, 4);
      monitor.control.send(FRAME.resize, size);
      expect(await monitor.exited()).to.include({ code: 5 });
      await peer?.ended;
      expect(peer?.text().endsWith('40 120\r\n')).to.equal(true);
    });

    it('echoes, and turns ^C into a signal', async () => {
      const operations = shell('trap "echo caught; exit 6" INT; echo ready; cat', { tty: true });
      await using monitor = await Monitor.start({ operations, options: tty, attach: [ATTACH.all] });
      const [peer] = monitor.attachments;
      await peer?.frame(FRAME.stdout);
      peer?.send(FRAME.stdin, 'line\r');
      await peer?.until(() => peer.text().includes('line\r\nline\r\n') || undefined);
      peer?.send(FRAME.stdin, '\x03');
      expect(await monitor.exited()).to.include({ code: 6 });
      await peer?.ended;
      expect(peer?.text()).to.match(/caught\r\n$/);
    });

    it('loses nothing that was written last', async () => {
      const operations = container({ root, argv: ['busybox', 'seq', '1', '20000'], tty: true });
      await using monitor = await Monitor.start({ operations, options: tty, attach: [ATTACH.all] });
      await monitor.attachments[0]?.ended;
      expect(monitor.attachments[0]?.text().endsWith('19999\r\n20000\r\n')).to.equal(true);
    });

    it('stays while its process has let go of it, as an init does between two messages', async () => {
      const script = `echo before; exec < /dev/null > /dev/null 2>&1; sleep 0.3; echo between > /dev/console
        sleep 0.3; exec < /dev/console > /dev/console; read line; echo "after $line"; exit 5`;
      await using monitor = await Monitor.start({
        operations: shell(script, { tty: true }),
        options: tty,
        attach: [ATTACH.all],
      });
      const [peer] = monitor.attachments;
      await peer?.until(() => peer.text().includes('between') || undefined);
      peer?.send(FRAME.stdin, 'word\r');
      expect(await monitor.exited()).to.include({ code: 5 });
      await peer?.ended;
      expect(peer?.text()).to.equal('before\r\nbetween\r\nword\r\nafter word\r\n');
    });

    it('is the foreground of its session behind init', async () => {
      const operations = shell('echo ready; cat', { tty: true, init: true });
      await using monitor = await Monitor.start({ operations, options: tty, attach: [ATTACH.all] });
      await monitor.attachments[0]?.frame(FRAME.stdout);
      monitor.attachments[0]?.send(FRAME.stdin, '\x03');
      expect(await monitor.exited()).to.include({ code: 130 });
    });
  });

  it('gives buffers back when idle', async function () {
    // Sanitizers have a memory of their own.
    if (process.env['GANTRY_INIT']) this.skip();
    await using monitor = await Monitor.start({ operations: shell('seq 1 100000; sleep 1000'), attach: [ATTACH.all] });
    const [peer] = monitor.attachments;
    await peer?.until(() => peer.text().endsWith('\n100000\n') || undefined);
    const { readFile } = await import('node:fs/promises');
    const pss = async () =>
      Number(/^Pss:\s+(\d+)/m.exec(await readFile(`/proc/${monitor.child.pid}/smaps_rollup`, 'utf8'))?.[1]);
    const deadline = Date.now() + 20_000;
    while ((await pss()) > 100 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await pss()).to.be.at.most(100);
    monitor.signal(9);
    await monitor.exited();
    if (monitor.child.exitCode === null) await once(monitor.child, 'exit');
  });
});
