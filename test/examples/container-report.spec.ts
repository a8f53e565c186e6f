import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { JobTable } from '../../api/jobs.ts';
import { Engine } from '../../engine/engine.ts';
import { loadPlugins } from '../../engine/plugins.ts';
import { contracts } from '../../jobs/contracts.ts';
import { serving, type TrialServer } from '../stand-ins/trials.ts';

const PLUGIN = fileURLToPath(new URL('../../examples/plugins/container-report.js', import.meta.url));
const HEADING = 'id,name,image,state,restarts\r\n';
const ID = 'a'.repeat(64);

/** The example as a user has it: a file, loaded into a daemon that has two containers. */
describe('example container-report', () => {
  let engine: Engine<JobTable>;
  let server: TrialServer;
  beforeEach(async () => {
    engine = new Engine<JobTable>();
    engine.register('containers', {
      ...contracts.containers,
      handler: async (job) => (job.env.all ? [{ Id: ID }, { Id: 'b'.repeat(64) }] : [{ Id: ID }]),
    });
    engine.register('container_inspect', {
      ...contracts.container_inspect,
      handler: async ({ args: [Id] }) => ({
        Id,
        Name: Id === ID ? '/web' : '/a "quoted", name',
        Config: { Image: 'busybox' },
        State: { Status: Id === ID ? 'running' : 'exited' },
        RestartCount: 2,
      }),
    });
    await loadPlugins(engine, [PLUGIN]);
    server = await serving(engine);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  async function get(path: string) {
    const sent = request({ socketPath: server.path, path, agent: false });
    sent.end();
    const [response] = await once(sent, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    return { status: response.statusCode, type: response.headers['content-type'], body };
  }

  it('answers at a URL of its own', async () => {
    expect(await get('/reports/containers')).to.deep.equal({
      status: 200,
      type: 'text/csv',
      body: `${HEADING}aaaaaaaaaaaa,web,busybox,running,2\r\n`,
    });
  });

  it('quotes what CSV needs quoted', async () => {
    const { body } = await get('/v1.44/reports/containers?all=1');
    expect(body).to.contain('bbbbbbbbbbbb,"a ""quoted"", name",busybox,exited,2\r\n');
  });

  it('is a job as any other, with a contract', async () => {
    expect(engine.contracts().find(({ name }) => name === 'container_report')).to.include({ usage: '', stdin: null });
    expect(await engine.open('container_report', [], { all: true }).run()).to.equal(2);
  });

  it('fails with the status of what it asked, when that fails before the first line', async () => {
    engine.wrap('containers', () => async (job) => {
      throw new TypeError(`${job.name} is broken`);
    });
    const { status, body } = await get('/reports/containers');
    expect([status, body]).to.deep.equal([500, '{"message":"containers is broken"}\n']);
  });
});
