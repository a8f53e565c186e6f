import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { type ContainerOptions, container, Rootfs } from './container.ts';
import { ATTACH, FRAME, Monitor } from './monitor.ts';

/** As Go's encoding/json writes a string of what may not be UTF-8: a byte that is none becomes U+FFFD. */
function goString(bytes: Buffer): string {
  return JSON.stringify(goText(bytes)).replace(/[<>&\u2028\u2029\ue000]|\\[\\btf]/g, (found) => {
    if (found === '\\\\') return found;
    const code = { '\\b': 8, '\\t': 9, '\\f': 12 }[found] ?? found.charCodeAt(0);
    if (found === NO_CHARACTER) return '\\ufffd';
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Stands for a byte that begins no character until it is written as \\ufffd; a U+FFFD that was there is left alone. */
const NO_CHARACTER = '\ue000';

/** Each byte that begins no character is told by itself, where TextDecoder takes several of a cut-off sequence as one. */
function goText(bytes: Buffer): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = [1, 2, 3, 4].find((length) => {
      if (at + length > bytes.length) return false;
      try {
        return decoder.decode(bytes.subarray(at, at + length)).length > 0;
      } catch {
        return false;
      }
    });
    text += size ? decoder.decode(bytes.subarray(at, at + size)) : NO_CHARACTER;
    at += size ?? 1;
  }
  return text;
}

interface Entry {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

describe('the log of gantry-init', function () {
  this.timeout(120_000);
  let root: Rootfs;
  let folder: string;
  beforeEach(async () => {
    root = await Rootfs.make();
    folder = await mkdtemp('/tmp/g-log-');
  });
  afterEach(async () => {
    await root.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const file = () => path.join(folder, 'c-json.log');

  async function run(options: Record<string, string | number>, more: Partial<ContainerOptions>): Promise<void> {
    const operations = container({ root, argv: ['true'], ...more });
    await using monitor = await Monitor.start({
      operations,
      options: { log: 'json-file', log_path: file(), ...options },
    });
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.over;
  }
  const shell = (script: string) => ({ argv: ['busybox', 'sh', '-c', script] });
  const lines = async (name = file()): Promise<string[]> => (await readFile(name, 'utf8')).split('\n').slice(0, -1);
  const entries = async (name = file()): Promise<Entry[]> => (await lines(name)).map((line) => JSON.parse(line));

  it('is what Docker writes, to the byte', async () => {
    await run({}, shell('echo hello; echo; printf "no end"'));
    const [first, second, third] = await lines();
    const time = /"time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z)"}$/;
    expect(first?.replace(time, 'T')).to.equal('{"log":"hello\\n","stream":"stdout",T');
    expect(second?.replace(time, 'T')).to.equal('{"log":"\\n","stream":"stdout",T');
    expect(third?.replace(time, 'T')).to.equal('{"log":"no end","stream":"stdout",T');
    const written = Date.parse(time.exec(first ?? '')?.[1] ?? '');
    expect(Math.abs(Date.now() - written)).to.be.lessThan(60_000);
  });

  it('escapes as Go does', async () => {
    const bytes: Buffer[] = [Buffer.from(Array.from({ length: 256 }, (_, i) => i)).subarray(0)];
    for (const text of [
      '<a href="x">&amp;</a>',
      'tab\there\rback\\slash',
      '\u2028\u2029\u2027\u202a',
      '\ufffd é 漢字 🐳 \u007f',
    ])
      bytes.push(Buffer.from(text));
    for (const hex of ['c0af', 'eda080', 'f4908080', 'f0808080', 'e28080e2', 'f09f90', '80', 'fffe', 'c3'])
      for (let lead = 0; lead < 20; lead++)
        bytes.push(Buffer.concat([Buffer.alloc(lead, 'a'), Buffer.from(hex, 'hex')]));
    let seed = 42;
    for (let i = 0; i < 300; i++) {
      const noise = Buffer.alloc(i);
      for (let at = 0; at < i; at++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        noise[at] = (seed >>> 16) & 0xff;
      }
      bytes.push(noise);
    }
    const content = Buffer.concat(
      bytes.map((each) => Buffer.concat([Buffer.from(each.filter((byte) => byte !== 10)), Buffer.of(10)])),
    );
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path.join(root.folder, 'content'), content);
    await run({}, { argv: ['cat', '/content'] });
    const expected = content
      .toString('latin1')
      .split('\n')
      .slice(0, -1)
      .map((line) => goString(Buffer.from(`${line}\n`, 'latin1')));
    const got = (await lines()).map((line) => /^\{"log":(.*),"stream":"stdout","time"/.exec(line)?.[1]);
    for (const [i, line] of expected.entries()) expect(got[i]).to.equal(line);
    expect(got).to.have.length(expected.length);
  });

  it('cuts long lines at 16 KiB, without a newline in the pieces', async () => {
    const { writeFile } = await import('node:fs/promises');
    const sizes = [16383, 16384, 16385, 40000, 0, 70000];
    await writeFile(path.join(root.folder, 'content'), sizes.map((size) => `${'x'.repeat(size)}\n`).join(''));
    await run({}, { argv: ['cat', '/content'] });
    expect((await entries()).map(({ log }) => log.length * (log.endsWith('\n') ? 1 : -1))).to.deep.equal([
      16384, -16384, 1, -16384, 2, -16384, -16384, 7233, 1, -16384, -16384, -16384, -16384, 4465,
    ]);
  });

  it('puts lines together that come in pieces, stream by stream', async () => {
    await run({}, shell('printf a; printf x >&2; sleep 0.1; printf b; sleep 0.1; echo c; echo y >&2'));
    const found = (await entries()).map(({ log, stream }) => `${stream} ${log}`).sort();
    expect(found).to.deep.equal(['stderr xy\n', 'stdout abc\n']);
  });

  it('keeps an unfinished line over a rest', async () => {
    const operations = container({ root, ...shell('printf "pass"; sleep 1; echo word') });
    const options = { log: 'json-file', log_path: file() };
    await using monitor = await Monitor.start({ operations, options, attach: [ATTACH.all] });
    await monitor.exited();
    expect((await entries()).map(({ log }) => log)).to.deep.equal(['password\n']);
  });

  it('goes on in the file that is there', async () => {
    await run({}, shell('echo one'));
    await run({}, shell('echo two'));
    expect((await entries()).map(({ log }) => log)).to.deep.equal(['one\n', 'two\n']);
  });

  it('rotates before a file would grow past its size, and keeps so many', async () => {
    await run({ max_size: 20_000, max_file: 3 }, shell('seq 1 3000'));
    expect((await readdir(folder)).sort()).to.deep.equal(['c-json.log', 'c-json.log.1', 'c-json.log.2']);
    const kept: string[] = [];
    for (const name of ['c-json.log.2', 'c-json.log.1', 'c-json.log']) {
      const text = await readFile(path.join(folder, name));
      expect(text.length).to.be.at.most(20_000);
      kept.push(...(await entries(path.join(folder, name))).map(({ log }) => log.trim()));
    }
    const first = Number(kept[0]);
    expect(kept).to.deep.equal(Array.from({ length: 3001 - first }, (_, i) => String(first + i)));
  });

  it('begins anew with one file only', async () => {
    await run({ max_size: 5_000, max_file: 1 }, shell('seq 1 1000'));
    expect(await readdir(folder)).to.deep.equal(['c-json.log']);
    expect((await entries()).at(-1)?.log).to.equal('1000\n');
  });

  it('is binary as ARCHITECTURE.md says with `local`', async () => {
    await run({ log: 'local' }, shell('echo hello; printf x'));
    const bytes = await readFile(file());
    const read = (at: number) => {
      const length = bytes.readUInt32LE(at);
      const [stream, partial, ns] = [bytes[at + 4], bytes[at + 5], bytes.readBigUInt64LE(at + 6)];
      const line = bytes.subarray(at + 14, at + 14 + length).toString();
      expect(bytes.readUInt32LE(at + 14 + length)).to.equal(length);
      expect(Number(BigInt(Date.now()) - ns / 1_000_000n)).to.be.within(-1000, 60_000);
      return { stream, partial, line, next: at + 18 + length };
    };
    const first = read(0);
    expect(first).to.include({ stream: 1, partial: 0, line: 'hello' });
    expect(read(first.next)).to.include({ stream: 1, partial: 1, line: 'x', next: bytes.length });
  });

  it('writes nothing with `none`', async () => {
    await run({ log: 'none' }, shell('echo hello'));
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('drops what a full disk does not take, says so once, and the container goes on', async () => {
    const operations = container({ root, ...shell('seq 1 50000; echo done >&2') });
    await using monitor = await Monitor.start({
      operations,
      options: { log: 'json-file', log_path: '/dev/full' },
      attach: [ATTACH.all],
    });
    expect(await monitor.exited()).to.include({ code: 0 });
    await monitor.attachments[0]?.ended;
    expect(monitor.attachments[0]?.text(FRAME.stderr)).to.equal('done\n');
    const warnings = monitor.control.frames.filter(({ type }) => type === FRAME.systemError);
    expect(warnings.map(({ payload }) => payload.toString())).to.deep.equal([
      'the log cannot be written, what does not fit is lost\n',
    ]);
  });

  it('fails the start when the log cannot be opened', async () => {
    const operations = container({ root, argv: ['true'] });
    const options = { log: 'json-file', log_path: path.join(folder, 'missing/c.log') };
    await using monitor = await Monitor.start({ operations, options });
    expect(await monitor.failed()).to.include({ op: -1, errno: 2, detail: 'the log cannot be opened' });
  });
});
