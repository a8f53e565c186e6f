import { expect } from 'chai';
import { EngineError } from '../../../api/errors.ts';
import { statusText } from '../../../jobs/containers/status.ts';
import type { ContainerState } from '../../../state/container-record.ts';
import { fromRFC3339, NEVER } from '../../../std/timestamp.ts';
import { failure, SmallDaemon, type Wishes } from './small-daemon.ts';

describe('jobs containers and container_inspect', () => {
  let daemon: SmallDaemon;

  before(async () => {
    daemon = await SmallDaemon.make();
    await daemon.image('busybox');
    await daemon.image('alpine', { Cmd: ['false'], Labels: { from: 'alpine' } });
    const make: readonly [name: string, wishes: Wishes][] = [
      ['one', { Labels: { tier: 'web', env: 'prod' }, ExposedPorts: { '80/tcp': {} } }],
      ['two', { Image: 'alpine', HostConfig: { Binds: ['data:/data'], NetworkMode: 'host' } }],
      ['three', { Cmd: ['sleep', '1000'], Labels: { tier: 'web' } }],
    ];
    for (const [name, wishes] of make) await daemon.create(name, wishes);
    for (const name of ['two', 'three']) await daemon.start(name);
    await daemon.wait('two');
  });
  after(() => daemon[Symbol.asyncDispose]());

  interface Query {
    readonly all?: boolean;
    readonly limit?: number;
    readonly before?: string;
    readonly since?: string;
    readonly filters?: Readonly<Record<string, readonly string[]>>;
  }

  async function list({ filters = {}, ...query }: Query): Promise<string[]> {
    const env = { all: false, limit: 0, size: false, before: '', since: '', ...query };
    const rows = await daemon.engine.run('containers', [], { ...env, filters: new Map(Object.entries(filters)) });
    return rows.map((row) => String(row['Names']).slice(1));
  }

  const CASES: readonly [query: Query, names: string[]][] = [
    [{}, ['three']],
    [{ all: true }, ['three', 'two', 'one']],
    [{ limit: 2 }, ['three', 'two']],
    [{ all: true, before: 'three' }, ['two', 'one']],
    [{ all: true, since: 'one' }, ['three', 'two']],
    [{ all: true, filters: { before: ['two'] } }, ['one']],
    [{ all: true, filters: { since: ['two'] } }, ['three']],
    [{ filters: { status: ['created', 'exited'] } }, ['two', 'one']],
    [{ all: true, filters: { exited: ['1'] } }, ['two']],
    [{ all: true, filters: { exited: ['0'] } }, []],
    [{ all: true, filters: { label: ['tier=web'] } }, ['three', 'one']],
    [{ all: true, filters: { label: ['tier=web', 'env'] } }, ['one']],
    [{ all: true, filters: { label: ['from=alpine'] } }, ['two']],
    [{ all: true, filters: { name: ['^/t'] } }, ['three', 'two']],
    [{ all: true, filters: { name: ['one', 'two'] } }, ['two', 'one']],
    [{ all: true, filters: { name: ['('] } }, []],
    [{ all: true, filters: { ancestor: ['alpine'] } }, ['two']],
    [{ all: true, filters: { ancestor: ['nope'] } }, []],
    [{ all: true, filters: { network: ['host'] } }, ['two']],
    [{ all: true, filters: { volume: ['data'] } }, ['two']],
    [{ all: true, filters: { volume: ['/data'] } }, ['two']],
    [{ all: true, filters: { expose: ['79-81/tcp'] } }, ['one']],
    [{ all: true, filters: { publish: ['80'] } }, []],
    [{ all: true, filters: { health: ['none'] } }, ['three', 'two', 'one']],
    [{ all: true, filters: { health: ['healthy'] } }, []],
    [{ all: true, filters: { 'is-task': ['true'] } }, []],
  ];
  for (const [query, names] of CASES) {
    it(`finds ${JSON.stringify(names)} by ${JSON.stringify(query)}`, async () => {
      expect(await list(query)).to.deep.equal(names);
    });
  }

  const REFUSALS: readonly [query: Query, status: number, words: string][] = [
    [{ filters: { foo: ['x'] } }, 400, "Invalid filter 'foo'"],
    [{ filters: { status: ['x'] } }, 400, "Invalid filter 'status=x'"],
    [{ filters: { exited: ['x'] } }, 400, 'strconv.Atoi: parsing "x": invalid syntax'],
    [{ filters: { health: ['x'] } }, 400, 'Unrecognised filter value for health: x'],
    [{ filters: { before: ['x'] } }, 404, 'no such container x'],
  ];
  for (const [query, status, words] of REFUSALS) {
    it(`answers ${status} ${words}`, async () => {
      const error = await failure(list(query));
      expect(error.message).to.equal(words);
      expect(error).to.be.instanceOf(EngineError).with.property('httpStatus', status);
    });
  }

  it('finds by the first digits of the id', async () => {
    expect(await list({ all: true, filters: { id: [daemon.containers.get('one').ID.slice(0, 8)] } })).to.deep.equal([
      'one',
    ]);
  });

  it('inspects what runs as the wire has it', async () => {
    const found = await daemon.engine.run('container_inspect', ['three'], { size: true });
    expect(found['Name']).to.equal('/three');
    expect(found['State']).to.deep.include({ Status: 'running', Running: true, Paused: false, ExitCode: 0, Error: '' });
    expect(found['State']).to.have.property('Pid').that.is.greaterThan(0);
    expect(found['Config']).to.have.nested.property('Labels.tier', 'web');
    expect(found['Config']).to.not.have.any.keys('Healthcheck', 'StopTimeout', 'Shell', 'ExposedPorts');
    expect(found['HostConfig']).to.not.have.any.keys('Init', 'Tmpfs', 'Sysctls', 'Mounts');
    expect(found['NetworkSettings']).to.have.nested.property('Networks.none.NetworkID').that.has.length(64);
    expect(found).to.deep.include({ SizeRw: 0, SizeRootFs: 0, ExecIDs: null, Platform: 'linux', RestartCount: 0 });
  });

  it('has the endpoint by which its network knows it', async () => {
    const { ID } = daemon.containers.get('three');
    const network = await daemon.engine.run('network_inspect', ['none'], {});
    expect(Object.keys(network.Containers)).to.deep.equal([ID]);
    expect(network.Containers[ID]?.EndpointID).to.have.length(64);
    expect(await daemon.engine.run('container_inspect', ['three'], { size: false })).to.have.nested.property(
      'NetworkSettings.Networks.none.EndpointID',
      network.Containers[ID]?.EndpointID,
    );
  });

  it('tells the name of an image until it means another', async () => {
    const imageOf = async () => {
      const env = { all: true, limit: 0, size: false, before: '', since: '', filters: new Map([['name', ['two']]]) };
      return (await daemon.engine.run('containers', [], env))[0]?.['Image'];
    };
    expect(await imageOf()).to.equal('alpine');
    await daemon.image('alpine', { Cmd: ['other'] });
    expect(await imageOf()).to.match(/^sha256:/);
  });
});

describe('status of a container in words', () => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
  const run = (startedAt: string) => ({ pid: 1, startedAt, lastFinishedAt: NEVER });
  const end = (exitCode: number, finishedAt: string) => ({
    exitCode,
    finishedAt,
    startedAt: at(0),
    oomKilled: false,
    error: '',
  });
  const CASES: readonly [state: ContainerState, seconds: number, words: string][] = [
    [{ status: 'created', exitCode: 0, error: '' }, 5, 'Created'],
    [{ status: 'running', ...run(at(0)) }, 0, 'Up Less than a second'],
    [{ status: 'running', ...run(at(0)) }, 1, 'Up 1 second'],
    [{ status: 'running', ...run(at(0)) }, 59, 'Up 59 seconds'],
    [{ status: 'running', ...run(at(0)) }, 60, 'Up About a minute'],
    [{ status: 'running', ...run(at(0)) }, 180, 'Up 3 minutes'],
    [{ status: 'running', ...run(at(0)) }, 3600, 'Up About an hour'],
    [{ status: 'running', ...run(at(0)) }, 47 * 3600, 'Up 47 hours'],
    [{ status: 'running', ...run(at(0)) }, 3 * 86_400, 'Up 3 days'],
    [{ status: 'running', ...run(at(0)) }, 20 * 86_400, 'Up 2 weeks'],
    [{ status: 'running', ...run(at(0)) }, 90 * 86_400, 'Up 3 months'],
    [{ status: 'running', ...run(at(0)) }, 800 * 86_400, 'Up 2 years'],
    [{ status: 'paused', ...run(at(0)) }, 2, 'Up 2 seconds (Paused)'],
    [{ status: 'exited', ...end(0, at(1)) }, 3, 'Exited (0) 2 seconds ago'],
    [{ status: 'restarting', ...end(1, at(0)) }, 5, 'Restarting (1) 5 seconds ago'],
    [
      { status: 'removing', before: { status: 'created', exitCode: 0, error: '' }, volumes: false },
      5,
      'Removal In Progress',
    ],
  ];
  for (const [state, seconds, words] of CASES) {
    it(`is ${words}`, () => {
      expect(statusText(state, fromRFC3339(at(seconds)) ?? 0n)).to.equal(words);
    });
  }
});
