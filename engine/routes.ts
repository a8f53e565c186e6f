/**
 * An HTTP route that a plugin brings along: decode → one job → word the answer, as with the server's own
 * (`server/route.ts`). `server/routes/plugins.ts` makes a route of it.
 *
 *   engine.route({
 *     method: 'GET',
 *     path: '/greetings/:name',
 *     run: (request, start) => start('greet', [request.params.get('name')], {}),
 *   });
 */
import type { Decoder } from '../std/decode.ts';
import type { JobTableOf } from './job.ts';

export interface PluginRoute<Table extends JobTableOf<Table>> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Without the version. `:id` is one segment; `:name+` one or more. One that the server has itself is refused. */
  readonly path: string;
  /**
   * Given: the job's stdout is the answer, sent as it comes as this media type. Left out: its result is, as JSON, with
   * status 200, or 204 when it is null.
   */
  readonly contentType?: string;
  /** The body is the job's stdin; not together with `request.json`. */
  readonly hasStdin?: boolean;
  /** Reads what the job is to have out of the request, and starts it. */
  readonly run: (request: PluginRequest, start: StartJob<Table>) => Promise<unknown>;
}

/** Runs the one job of the request, cancelled when the caller goes away. */
export type StartJob<Table extends JobTableOf<Table>> = <Name extends keyof Table & string>(
  name: Name,
  args: Table[Name]['args'],
  env: Table[Name]['env'],
) => Promise<Table[Name]['result']>;

/** What a plugin sees of a request. */
export interface PluginRequest {
  /** What the placeholders of the path stand for, percent-decoded. */
  readonly params: { get(name: string): string };
  readonly query: {
    has(name: string): boolean;
    /** The first value, or ''. */
    text(name: string): string;
    all(name: string): string[];
    flag(name: string, absent?: boolean): boolean;
    integer(name: string): number | null;
  };
  readonly signal: AbortSignal;
  /** The body as JSON. Fails with InvalidParameter when it does not fit. */
  json<T>(decoder: Decoder<T>): Promise<T>;
}
