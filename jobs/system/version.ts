import { API_VERSION, MIN_API_VERSION, PRODUCT_VERSION } from '../../api/system.ts';
import type { Daemon, JobHandler } from '../daemon.ts';
import type { Build } from './build.ts';

type Deps = Pick<Daemon, 'host'>;

/**
 * version — which engine this is, of what it is made and what it speaks.
 *
 * source  Docker Engine API, GET /version
 */
export const version =
  ({ host }: Deps, build: Build): JobHandler<'version'> =>
  async () => {
    const common = {
      ApiVersion: API_VERSION,
      MinAPIVersion: MIN_API_VERSION,
      GitCommit: build.version,
      GoVersion: `none (Node ${process.version})`,
      Os: 'linux',
      Arch: goArchitecture(host.architecture),
      KernelVersion: host.kernelVersion,
      BuildTime: build.builtAt,
    };
    return {
      Platform: { Name: `Gantry ${build.version}` },
      Components: [
        { Name: 'Engine', Version: PRODUCT_VERSION, Details: { ...common, Experimental: 'false' } },
        {
          Name: 'node',
          Version: process.version,
          Details: { V8: process.versions.v8, OpenSSL: process.versions.openssl },
        },
      ],
      Version: PRODUCT_VERSION,
      ...common,
      Experimental: false,
    };
  };

/** GOARCH of uname(2)'s machine. */
function goArchitecture(machine: string): string {
  if (machine === 'x86_64') return 'amd64';
  if (machine === 'aarch64') return 'arm64';
  return machine;
}
