/** Local volumes: `<data-root>/volumes/<name>/_data`. Their API comes later; `docker run -v` needs them now. */
export interface Volume {
  readonly name: string;
  /** Absolute path of its folder on the host. */
  readonly path: string;
  /** It was made without a name, and goes with its container (`rm -v`, `--rm`). */
  readonly anonymous: boolean;
}

export declare class Volumes {
  static open(folder: string): Promise<Volumes>;
  get(name: string): Volume | null;
  list(): Volume[];
  /** Gives the one that is there, or makes it. `null`: an anonymous one of 64 hex digits. Fails with InvalidParameter. */
  ensure(name: string | null): Promise<Volume>;
  remove(name: string): Promise<void>;
}
