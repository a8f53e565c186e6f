/** Which build of this program runs. */
export interface Build {
  /** Of package.json. */
  readonly version: string;
  /** RFC 3339. */
  readonly builtAt: string;
}
