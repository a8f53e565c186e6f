import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Frame, FrameReader, frameHeader } from '../../api/streams.ts';
import { Monitor, MonitorAttachment, parseExited } from '../../drivers/libcontainer/monitor.ts';

/** The other end of the protocol, as ARCHITECTURE.md has it, said by hand. */
describe('Monitor', () => {
  let folder: string;
  let server: Server;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'g-'));
    path = join(folder, 'sock');
    server = createServer().listen(path);
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  const frame = (type: number, content: object | Buffer): Buffer => {
    const payload = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    return Buffer.concat([frameHeader(type, payload.length), payload]);
  };

  /** Connects, and gives the far end with what it hears. */
  async function meet(): Promise<{ monitor: Monitor; peer: Socket; heard: (count: number) => Promise<Frame[]> }> {
    const accepted = once(server, 'connection');
    const monitor = await Monitor.find(path);
    const [peer] = await accepted;
    return { monitor, peer, heard: listener(peer) };
  }

  function listener(peer: Socket): (count: number) => Promise<Frame[]> {
    const frames: Frame[] = [];
    const reader = new FrameReader();
    peer.on('data', (chunk: Buffer) => frames.push(...reader.push(chunk)));
    return async (count) => {
      while (frames.length < count) await once(peer, 'data');
      return frames;
    };
  }

  const started = { pid: 7, at: '12.000000034', ns: [1, 2], warnings: [{ op: 1, errno: 2 }] };

  it('says what it is, and hears how the program went', async () => {
    const { monitor, peer, heard } = await meet();
    expect((await heard(1)).map(({ type, payload }) => [type, payload.length])).to.deep.equal([[0x40, 0]]);
    peer.write(frame(0x13, started));
    expect(await monitor.outcome).to.deep.equal({ kind: 'started', ...started });
    monitor.close();
  });

  it('understands frames in any pieces', async () => {
    const { monitor, peer } = await meet();
    const bytes = Buffer.concat([frame(0x10, started), frame(0x12, { code: 137, signal: 9, oom: true, at: '13.5' })]);
    for (const byte of bytes) peer.write(Buffer.of(byte));
    expect((await monitor.outcome)?.kind).to.equal('started');
    expect(await monitor.exited).to.deep.equal({ code: 137, signal: 9, oom: true, at: '13.5' });
    monitor.close();
  });

  it('hears of failures', async () => {
    const { monitor, peer } = await meet();
    peer.end(frame(0x11, { op: 3, errno: 22, detail: 'why', ns: [1] }));
    expect(await monitor.outcome).to.deep.equal({ kind: 'failed', op: 3, errno: 22, detail: 'why', ns: [1] });
    expect(await monitor.exited).to.equal(null);
  });

  it('knows nothing when the connection ends without a word', async () => {
    const { monitor, peer } = await meet();
    peer.destroy();
    expect([await monitor.outcome, await monitor.exited]).to.deep.equal([null, null]);
  });

  it('lets go of a peer that speaks otherwise', async () => {
    for (const nonsense of [
      frame(0x10, { pid: 'seven' }),
      frame(0x10, Buffer.from('{')),
      Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    ]) {
      const { monitor, peer } = await meet();
      peer.on('error', () => {});
      peer.write(nonsense);
      expect(await monitor.outcome).to.equal(null);
    }
  });

  it('passes signals and sizes on, and drops them when nobody is there', async () => {
    const { monitor, peer, heard } = await meet();
    monitor.signal(15);
    monitor.resize(24, 80);
    const [, signal, size] = await heard(3);
    expect([signal?.type, signal?.payload.toString('hex')]).to.deep.equal([0x20, '0000000f']);
    expect([size?.type, size?.payload.toString('hex')]).to.deep.equal([0x21, '0000001800000050']);
    peer.destroy();
    await monitor.exited;
    monitor.signal(15);
  });

  it('carries stdin in frames, and its end', async () => {
    const accepted = once(server, 'connection');
    const attachment = await MonitorAttachment.find(path, { stdin: true, stdout: false, stderr: true });
    const [peer] = await accepted;
    const heard = listener(peer);
    attachment.writeStdin(Buffer.from('abc'));
    attachment.closeStdin();
    expect((await heard(3)).map(({ type, payload }) => [type, payload.toString('latin1')])).to.deep.equal([
      [0x41, '\x05'],
      [0x00, 'abc'],
      [0x24, ''],
    ]);
    attachment.detach();
    await once(peer, 'close');
    expect(attachment.writeStdin(Buffer.from('late'))).to.equal(true);
  });

  it('says so when there is no monitor', async () => {
    const error = await Monitor.find(join(folder, 'none')).catch((reason: unknown) => reason);
    expect(error).to.have.property('code', 'ENOENT');
  });
});

describe('parseExited', () => {
  it('reads an exit file', () => {
    expect(parseExited('{"code":3,"signal":0,"oom":false,"at":"1.5"}')).to.include({ code: 3, at: '1.5' });
  });

  it('refuses what is not one', () => {
    expect(() => parseExited('{"code":3')).to.throw(SyntaxError);
    expect(() => parseExited('{"code":"3"}')).to.throw(/exit.code/);
  });
});
