/** What the outside says, checked against the contract of the job: words, and JSON. */
import type { JobContract } from '../api/contract.ts';
import { InvalidParameter } from '../api/errors.ts';
import { DecodeError, type Decoder, isObject } from '../std/decode.ts';
import { fitsUsage } from '../std/usage.ts';
import type { Contract } from './contract.ts';
import type { Signature } from './job.ts';

/** Fails with InvalidParameter that tells the usage. */
export function decodeArgs<Args>(name: string, usage: string, words: readonly string[]): Args {
  if (fitsUsage<Args>(words, usage)) return words;
  const got = words.length === 1 ? '1 argument' : `${words.length} arguments`;
  throw new InvalidParameter(`${name}: got ${got}, usage: ${`${name} ${usage}`.trim()}`);
}

/** Fails with InvalidParameter that names the key: also one that the job does not know, since a typo must not pass. */
export function decodeEnv<Env>(name: string, decoder: Decoder<Env>, env: unknown): Env {
  const known = keysOf(decoder);
  const unknown = known && isObject(env) ? Object.keys(env).find((key) => !hasKey(known, key)) : undefined;
  if (unknown !== undefined) {
    const hint = known?.length === 0 ? 'it takes none' : `it takes ${known?.join(', ')}`;
    throw new InvalidParameter(`${name}: unknown env ${unknown}: ${hint}`);
  }
  try {
    return decoder(env, 'env');
  } catch (error) {
    if (error instanceof DecodeError) throw new InvalidParameter(`${name}: ${error.message}`);
    throw error;
  }
}

export function describe<S extends Signature>(name: string, contract: Contract<S>): JobContract {
  const { summary, usage, env, stdin = null, stdout = null, stderr = null, aliases = [] } = contract;
  return { name, summary, usage, env: [...(keysOf(env) ?? [])], stdin, stdout, stderr, aliases: [...aliases] };
}

/** What a decoder made by `object` reads; null for any other. */
function keysOf(decoder: object): readonly string[] | null {
  return 'fields' in decoder && isObject(decoder.fields) ? Object.keys(decoder.fields) : null;
}

function hasKey(known: readonly string[], key: string): boolean {
  return known.some((each) => each.toLowerCase() === key.toLowerCase());
}
