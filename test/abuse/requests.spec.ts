import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CliSession } from '../cli/session.ts';
import { makeArchive } from '../stand-ins/cli-images.ts';
import { startGantryd, type TestDaemon } from '../stand-ins/daemon.ts';
import { http, RawClient } from './raw-client.ts';

/** What is asked · the status · what the message says. */
type Case = readonly [request: string, status: number, message: RegExp];

const create = (body: unknown, name = '') =>
  http('POST', `/containers/create${name}`, typeof body === 'string' ? body : JSON.stringify(body));
const made = (extra: object) => create({ Image: 'busybox', Cmd: ['true'], ...extra });
const hosted = (hostConfig: object) => made({ HostConfig: { NetworkMode: 'none', ...hostConfig } });

const CASES: readonly Case[] = [
  [create('{'), 400, /JSON|EOF|invalid/i],
  [create('nonsense'), 400, /invalid character|JSON/i],
  [create('{"Image":"busybox"} trailing'), 400, /./],
  [create('[]'), 400, /object/],
  [create('null'), 400, /./],
  [create('"text"'), 400, /object/],
  [create({ Image: 7 }), 400, /Image.*string/],
  [made({ Cmd: { a: 1 } }), 400, /Cmd/],
  [made({ Env: 'A=1' }), 400, /Env/],
  [made({ Env: ['=x'] }), 400, /invalid environment variable: =x/],
  [made({ Labels: [] }), 400, /Labels/],
  [hosted({ Memory: '64m' }), 400, /Memory/],
  [hosted({ Memory: 1.5 }), 400, /Memory/],
  [hosted({ Memory: 1e300 }), 400, /Memory/],
  [hosted({ Memory: -5 }), 400, /Minimum memory limit|[Mm]emory/],
  [hosted({ Memory: 1024 }), 400, /Minimum memory limit allowed is 6MB/],
  [hosted({ NanoCpus: 1e15 }), 400, /Range of CPUs is from 0\.01 to/],
  [hosted({ CpuPeriod: 5 }), 400, /CPU cfs period/],
  [hosted({ CpuQuota: 5 }), 400, /CPU cfs quota/],
  [hosted({ CpusetCpus: 'x' }), 400, /cpuset/i],
  [hosted({ PidMode: 'nope' }), 400, /[Ii]nvalid PID mode/],
  [hosted({ Binds: ['/a:/b:/c:/d'] }), 400, /invalid volume specification/],
  [hosted({ Binds: ['a b:/x'] }), 400, /invalid|includes invalid characters/],
  [hosted({ Binds: ['/:/'] }), 400, /destination can't be '\/'|invalid/],
  [
    hosted({ Mounts: [{ Type: 'bind', Source: '/no/such', Target: '/x' }] }),
    400,
    /bind source path does not exist: \/no\/such/,
  ],
  [hosted({ Mounts: [{ Type: 'nope', Target: '/x' }] }), 400, /Type|mount type unknown/],
  [hosted({ Tmpfs: { rel: '' } }), 400, /absolute/],
  [hosted({ Sysctls: { 'no such\n': '1' } }), 400, /sysctl/],
  [hosted({ Ulimits: [{ Name: 'nope', Soft: 1, Hard: 1 }] }), 400, /ulimit/],
  [hosted({ LogConfig: { Type: 'nope' } }), 400, /nope/],
  [hosted({ CapAdd: ['NOPE'] }), 400, /unknown capability: \\"CAP_NOPE\\"/],
  [hosted({ SecurityOpt: ['seccomp={'] }), 400, /seccomp/],
  [hosted({ RestartPolicy: { Name: 'sometimes' } }), 400, /invalid restart policy|RestartPolicy/],
  [hosted({ CgroupParent: '../../up' }), 400, /[Cc]group/],
  [made({ WorkingDir: 'rel' }), 400, /working directory 'rel' is invalid, it needs to be an absolute path/],
  [made({ StopSignal: 'NOPE' }), 400, /Invalid signal: NOPE/],
  [made({ Hostname: 'a\nb' }), 400, /hostname/i],
  [create({ Image: 'nosuch:1' }), 404, /No such image: nosuch:1/],
  [create({ Image: 'UPPER' }), 400, /invalid reference format/],
  [create({ Image: '' }), 400, /./],
  [create({ Image: 'busybox' }, '?name=a%20b'), 400, /Invalid container name \(a b\)/],
  [create({ Image: 'busybox' }, '?name=../up'), 400, /Invalid container name/],
  [http('POST', '/containers/create', 'Image=busybox', { 'Content-Type': 'text/plain' }), 400, /[Cc]ontent-[Tt]ype/],
  [http('POST', '/containers/nosuch/start'), 404, /No such container: nosuch/],
  [http('POST', '/containers/%00/start'), 404, /./],
  [http('GET', '/containers/..%2f..%2fetc/json'), 404, /./],
  [http('POST', '/containers/nosuch/wait?condition=never'), 400, /invalid condition/],
  [http('GET', '/containers/json?filters=%7B'), 400, /invalid/],
  [http('GET', '/containers/json?filters=%7B%22nope%22%3A%5B%22x%22%5D%7D'), 400, /[Ii]nvalid filter 'nope'/],
  [http('GET', '/containers/json?limit=x'), 400, /./],
  [http('GET', '/containers/nosuch/logs?stdout=1'), 404, /No such container: nosuch/],
  [http('GET', '/images/nosuch/json'), 404, /No such image: nosuch/],
  [http('POST', '/exec/nosuch/start', '{}'), 404, /No such exec instance/],
  [http('GET', '/v9.99/_ping'), 400, /too new/],
  [http('GET', '/v1.3/_ping'), 400, /too old/],
  [http('GET', '/nosuch'), 404, /page not found/],
  [http('PUT', '/containers/json'), 404, /page not found/],
  [http('GET', '/swarm'), 503, /not a swarm manager/],
  [http('POST', '/build'), 501, /build/],
  [http('POST', '/jobs/nosuch'), 404, /command not found/],
  [`GET /${'x'.repeat(200_000)} HTTP/1.1\r\nHost: d\r\n\r\n`, 431, /^/],
  ['NONSENSE\r\n\r\n', 400, /^/],
  [`GET /_ping HTTP/1.1\r\nHost: d\r\nX: ${'y'.repeat(300_000)}\r\n\r\n`, 431, /^/],
  [create(`{"Image":"busybox","Labels":{"x":"${'z'.repeat(20 * 1024 * 1024)}"}}`), 413, /^/],
  [create('['.repeat(500_000)), 400, /./],
  [create(`{"__proto__":{"Image":"busybox"},"constructor":1}`), 400, /./],
];

describe('requests that make no sense', function () {
  this.timeout(60_000);
  let folder: string;
  let daemon: TestDaemon;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip();
    folder = await mkdtemp(join(tmpdir(), 'abuse-'));
    daemon = await startGantryd();
    await using _images = await CliSession.open(daemon.host, await makeArchive(folder));
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  for (const [request, status, message] of CASES) {
    const [head = '', body = ''] = request.split(/\r\n\r\n/);
    const title = `${head.split('\r\n')[0]?.slice(0, 80)} ${body.slice(0, 120)}`;
    it(`${title} is answered ${status}`, async () => {
      const answer = await RawClient.ask(daemon.host, request);
      expect(answer.status, answer.body).to.equal(status);
      expect(answer.body).to.match(message);
    });
  }

  it('leave no container behind', async () => {
    const { body } = await RawClient.ask(daemon.host, http('GET', '/containers/json?all=1'));
    expect(body).to.match(/\[\]/);
  });
});
