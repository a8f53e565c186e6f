import type { OciSeccomp } from '../../api/oci.ts';
import { compileSeccomp } from './seccomp.ts';

/** Profiles are few: the default one by sets of capabilities, and those that users bring. */
const MAX_PROFILES = 64;

/** Filters by what is in the profile, so that a profile is compiled once. */
export class SeccompCache {
  readonly #filters = new Map<string, Buffer>();
  readonly #arch: string;

  /** `arch` as Node's `process.arch`. */
  constructor(arch: string = process.arch) {
    this.#arch = arch;
  }

  /** Fails with InvalidParameter, as `compileSeccomp`. */
  filter(profile: OciSeccomp): Buffer {
    const key = JSON.stringify(profile, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const known = this.#filters.get(key);
    if (known !== undefined) return known;
    const filter = compileSeccomp(profile, this.#arch);
    const [oldest] = this.#filters.keys();
    if (this.#filters.size >= MAX_PROFILES && oldest !== undefined) this.#filters.delete(oldest);
    this.#filters.set(key, filter);
    return filter;
  }
}
