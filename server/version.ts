import { InvalidParameter } from '../api/errors.ts';
import { API_VERSION, MIN_API_VERSION } from '../api/system.ts';

/** `1.44`: what the caller speaks. */
export type ApiVersion = `${number}.${number}`;

/** Is `version` at or past `other`? Numbers are compared part by part: 1.9 comes before 1.24. */
export function isAtLeast(version: ApiVersion, other: ApiVersion): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major > otherMajor || (major === otherMajor && minor >= otherMinor);
}

export function isVersion(text: string): text is ApiVersion {
  return /^\d{1,4}\.\d{1,4}$/.test(text);
}

/** Fails with InvalidParameter in Docker's words when this engine does not speak it. */
export function checkVersion(version: ApiVersion): ApiVersion {
  if (!isAtLeast(version, MIN_API_VERSION)) {
    throw new InvalidParameter(
      `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, ` +
        'please upgrade your client to a newer version',
    );
  }
  if (!isAtLeast(API_VERSION, version)) {
    throw new InvalidParameter(`client version ${version} is too new. Maximum supported API version is ${API_VERSION}`);
  }
  return version;
}
