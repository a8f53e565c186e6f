/** /jobs: what the engine can do, and any of it run from outside (docs/jobs.md). */
import { PassThrough, Readable } from 'node:stream';
import { EngineError, InvalidParameter } from '../../api/errors.ts';
import type { JobEnd } from '../../api/job-end.ts';
import type { JobTable } from '../../api/jobs.ts';
import { frameHeader, JOB_END, MULTIPLEXED_STREAM } from '../../api/streams.ts';
import { Tail } from '../../engine/destination.ts';
import type { Engine, OpenJob } from '../../engine/engine.ts';
import { anything, list, object, optional, text } from '../../std/decode.ts';
import { toJSON } from '../../std/json.ts';
import { parseJSON } from '../../std/parse-json.ts';
import { messageOf } from '../../std/thrown.ts';
import { Outflow } from '../outflow.ts';
import type { Answer, ApiRequest, Route, ShortAnswer } from '../route.ts';
import { StdioFrames } from '../stdio-frames.ts';

/** Of each stream, in an answer that is one piece of JSON. */
const MAX_COLLECTED_BYTES = 1024 * 1024;

const call = object({ args: optional(list(text), []), env: optional(anything, {}) });

type RunningEngine = Engine<JobTable>;

export const jobRoutes = (engine: RunningEngine): readonly Route[] => [
  { method: 'GET', path: '/jobs', handle: async () => ({ status: 200, json: engine.contracts() }) },
  { method: 'POST', path: '/jobs/:name', handle: (request) => runJob(engine, request) },
];

async function runJob(engine: RunningEngine, request: ApiRequest): Promise<Answer> {
  const { args, env } = await callOf(request);
  const raw = request.isUpgrade ? new PassThrough() : null;
  const stdin = raw ?? (isJSON(request) ? Readable.from([]) : request.body);
  let job: OpenJob;
  try {
    job = engine.open(request.params.get('name'), args, env, { signal: request.signal, stdin });
  } catch (error) {
    return refusal(error);
  }
  if (raw !== null) return { hijack: { contentType: MULTIPLEXED_STREAM, out: framed(job).out, stdin: raw } };
  if (!(request.headers.accept ?? '').includes(MULTIPLEXED_STREAM)) return collected(job);
  const { out, status } = framed(job);
  const trailers = { names: ['X-Job-Status'], values: () => ({ 'X-Job-Status': String(status()) }) };
  return { status: 200, contentType: MULTIPLEXED_STREAM, out, trailers };
}

/** Docker's answer to a failure, and the exit status beside it: 127 for an unknown job. */
function refusal(error: unknown): ShortAnswer {
  if (!(error instanceof EngineError)) throw error;
  return { status: error.httpStatus, json: { message: error.message, status: error.exitStatus } };
}

/** Words and env: in a JSON body, which leaves none for stdin, or in the query. */
async function callOf(request: ApiRequest): Promise<{ args: string[]; env: unknown }> {
  if (isJSON(request)) return await request.json(call);
  const env = request.query.text('env');
  return { args: request.query.all('a'), env: env === '' ? {} : parsed(env) };
}

function isJSON({ headers }: ApiRequest): boolean {
  return /^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '');
}

function parsed(json: string): unknown {
  try {
    return parseJSON(json);
  } catch (error) {
    throw new InvalidParameter(`env: not JSON: ${messageOf(error)}`);
  }
}

/** Starts the job; its streams and its end go to `out` in frames. */
function framed(job: OpenJob): { readonly out: Outflow; readonly status: () => number } {
  const out = new Outflow();
  const frames = new StdioFrames(out);
  frames.begin(false);
  job.stdout.add(frames.stdout);
  job.stderr.add(frames.stderr);
  let status = 1;
  void ended(job).then((end) => {
    const told = inJSON(end);
    status = told.status;
    out.write(Buffer.concat([frameHeader(JOB_END, told.payload.length), told.payload]));
    out.end();
  });
  return { out, status: () => status };
}

/** Never rejects. */
async function ended(job: OpenJob): Promise<JobEnd> {
  try {
    return { status: 0, result: await job.run(), error: null };
  } catch (error) {
    return failed(error, job.exitStatus ?? 1);
  }
}

/** A result that is no JSON, as a plugin's may be, is a failure. */
function inJSON(end: JobEnd): { readonly status: number; readonly payload: Buffer } {
  try {
    return { status: end.status, payload: Buffer.from(toJSON(end)) };
  } catch (error) {
    return inJSON(failed(error, 1));
  }
}

function failed(error: unknown, status: number): JobEnd {
  const httpStatus = error instanceof EngineError ? error.httpStatus : 500;
  return { status, result: null, error: { message: messageOf(error), httpStatus } };
}

/** For curl: all in one piece, once the job has ended, under the status of its error if there is one. */
async function collected(job: OpenJob): Promise<ShortAnswer> {
  const stdout = new Tail(MAX_COLLECTED_BYTES);
  const stderr = new Tail(MAX_COLLECTED_BYTES);
  job.stdout.add(stdout);
  job.stderr.add(stderr);
  const end = await ended(job);
  const streams = { stdout: stdout.bytes.toString(), stderr: stderr.bytes.toString() };
  const isTruncated = stdout.isTruncated || stderr.isTruncated;
  const { status, result, error } = end;
  if (error === null) return { status: 200, json: { status, result, ...streams, isTruncated } };
  return { status: error.httpStatus, json: { message: error.message, status, result, ...streams, isTruncated } };
}
