/**
 * A job of one's own, and a URL for it: every container with its image, its state and the restarts it has had, as CSV.
 *
 *   gantryd --plugin ./container-report.js
 *   gantry job container_report -e all=true
 *   curl --unix-socket /var/run/gantry.sock 'http://localhost/reports/containers?all=1'
 */
import type { JobTable } from '../../api/jobs.ts';
import type { Engine } from '../../engine/engine.ts';
import type { PluginKit } from '../../engine/plugins.ts';

export interface ReportJobs {
  /** stdout: a line a container, after a heading. Result: how many */
  container_report: { args: []; env: { all: boolean }; result: number };
}
type Table = JobTable & ReportJobs;

export function install(engine: Engine<Table>, { decode }: PluginKit): void {
  const { object, optional, flag } = decode;
  engine.register('container_report', {
    summary: 'Reports on all containers, as CSV',
    usage: '',
    env: object({ all: optional(flag, false) }),
    stdout: 'CSV with a heading',
    handler: async (job) => {
      const { all } = job.env;
      const env = { all, limit: 0, size: false, before: '', since: '', filters: new Map() };
      const containers = await job.runChild('containers', [], env);
      await job.stdout.write(csv(['id', 'name', 'image', 'state', 'restarts']));
      for (const { Id } of containers) {
        const container = await job.runChild('container_inspect', [Id], { size: false });
        await job.stdout.write(rowOf(container));
      }
      return containers.length;
    },
  });
  engine.route({
    method: 'GET',
    path: '/reports/containers',
    contentType: 'text/csv',
    run: ({ query }, start) => start('container_report', [], { all: query.flag('all') }),
  });
}

function rowOf(container: JobTable['container_inspect']['result']): string {
  const state = member(container['State'], 'Status');
  const image = member(container['Config'], 'Image');
  return csv([container.Id.slice(0, 12), container.Name.replace(/^\//, ''), image, state, container['RestartCount']]);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : '';
}

/** RFC 4180. */
function csv(fields: readonly unknown[]): string {
  const words = fields.map((field) => String(field ?? ''));
  return `${words.map((word) => (/[",\r\n]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word)).join(',')}\r\n`;
}
