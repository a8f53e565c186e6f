/** `[domain/]path[:tag][@digest]`, normalised as Docker does (distribution/reference): `busybox` is
 *  `docker.io/library/busybox`. */
export interface Reference {
  /** With domain: `docker.io/library/busybox`. */
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

/** Fails with InvalidParameter('invalid reference format'), and its variants for upper case and bare ids. */
export declare function parseReference(text: string): Reference;
/** With `latest` where neither tag nor digest is given. */
export declare function withDefaultTag(reference: Reference): Reference;
/** As users write it: `busybox:latest`. */
export declare function familiar(reference: Reference): string;
export declare function familiarName(reference: Reference): string;
