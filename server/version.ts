import { InvalidParameter } from '../api/errors.ts';
import { API_VERSION, MIN_API_VERSION } from '../api/system.ts';

/** `1.44`: what the caller speaks. */
export type ApiVersion = `${number}.${number}`;

/** Is `version` at or past `other`? Numbers are compared part by part: 1.9 comes before 1.24. */
export function isAtLeast(version: string, other: ApiVersion): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major > otherMajor || (major === otherMajor && minor >= otherMinor);
}

/** What the path says, or the newest. Fails with TooOld or InvalidParameter when this engine does not speak it. */
export function negotiate(asked: string | null): ApiVersion {
  if (asked === null) return API_VERSION;
  if (!isVersion(asked) || !isAtLeast(asked, MIN_API_VERSION)) throw new TooOld(asked);
  if (!isAtLeast(API_VERSION, asked)) {
    throw new InvalidParameter(`client version ${asked} is too new. Maximum supported API version is ${API_VERSION}`);
  }
  return asked;
}

/** A client from before 1.24 reads errors as plain text. */
export class TooOld extends InvalidParameter {
  constructor(version: string) {
    super(
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, ` +
        'please upgrade your client to a newer version',
    );
  }
}

function isVersion(text: string): text is ApiVersion {
  return /^\d{1,4}\.\d{1,4}$/.test(text);
}
