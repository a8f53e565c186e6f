/** A finished request as a tree: jobs, under them driver calls, under them the kernel operations, each with its time. */
import type { DriverCall, KernelOperation, TracedRequest, TraceEvent } from '../api/trace.ts';

/** Of the text, so that times stand under one another on a wide terminal. */
const MAX_WIDTH = 110;

interface Node {
  readonly text: string;
  /** Null while it runs, or for what has no time. */
  ns: number | null;
  note: string;
  readonly children: Node[];
}

export function treeOf({ id, events, dropped }: TracedRequest): string {
  const root = built(id, events);
  if (root === null) return '';
  if (dropped > 0) root.children.push({ text: `… and ${dropped} more`, ns: null, note: '', children: [] });
  const lines = linesOf(root, '', '');
  const width = Math.min(MAX_WIDTH, Math.max(...lines.map(({ text }) => text.length)));
  return lines
    .map(({ text, node }) => `${fitted(text, width)}  ${durationOf(node.ns).padStart(10)}  ${node.note}`.trimEnd())
    .join('\n');
}

function built(id: number, events: readonly TraceEvent[]): Node | null {
  const jobs = new Map<number, Node>();
  /** Operations whose driver call is not back yet: they come before it, and belong under it. */
  const early = new Map<number, Node[]>();
  for (const event of events) {
    if (event.kind === 'job') {
      const node: Node = {
        text: shortened(`${event.name}(${event.args.join(', ')})`),
        ns: null,
        note: 'running',
        children: [],
      };
      jobs.set(event.id, node);
      if (event.parent !== null) jobs.get(event.parent)?.children.push(node);
    } else if (event.kind === 'job-end') {
      finish(jobs.get(event.id), event, early.get(event.id) ?? []);
      early.delete(event.id);
    } else if (event.job !== null) {
      place(event, event.job, jobs, early);
    }
  }
  return jobs.get(id) ?? null;
}

function place(
  event: DriverCall | KernelOperation,
  job: number,
  jobs: ReadonlyMap<number, Node>,
  early: Map<number, Node[]>,
): void {
  if (event.kind === 'operation') {
    early.set(job, [...(early.get(job) ?? []), operationNode(event)]);
    return;
  }
  const children = early.get(job) ?? [];
  early.delete(job);
  const note = event.error ?? '';
  jobs.get(job)?.children.push({ text: `${event.driver} ${event.method}`, ns: event.ns, note, children });
}

function operationNode({ op, owner, detail, ns, errno }: KernelOperation): Node {
  return {
    text: detail === '' ? op : shortened(detail),
    ns,
    note: errno === null ? owner : `${errno} (${owner})`,
    children: [],
  };
}

function finish(
  node: Node | undefined,
  { ns, status, error }: { readonly ns: number; readonly status: number; readonly error: string | null },
  left: readonly Node[],
): void {
  if (node === undefined) return;
  node.ns = ns;
  node.note = status === 0 ? 'OK' : `ERR (${status}) ${error ?? ''}`;
  node.children.push(...left);
}

function linesOf(node: Node, first: string, rest: string): { text: string; node: Node }[] {
  const lines = [{ text: `${first}${node.text}`, node }];
  node.children.forEach((child, index) => {
    const isLast = index === node.children.length - 1;
    lines.push(...linesOf(child, `${rest}${isLast ? '└─ ' : '├─ '}`, `${rest}${isLast ? '   ' : '│  '}`));
  });
  return lines;
}

/** Ids as people know them, by their first twelve digits. */
export function shortened(text: string): string {
  return text.replace(/\b([0-9a-f]{12})[0-9a-f]{20,52}\b/g, '$1');
}

function fitted(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** Nanoseconds for people: `812 ns`, `3.4 µs`, `12.0 ms`, `1.50 s`. */
export function durationOf(ns: number | null): string {
  if (ns === null) return '';
  if (ns < 1e3) return `${ns} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toFixed(1)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(1)} ms`;
  return `${(ns / 1e9).toFixed(2)} s`;
}
