/** What the API has and this engine has not: said so, by name, instead of a path that is not found. */
import { NotImplemented, Unavailable } from '../../api/errors.ts';
import type { Method, Route } from '../route.ts';

const LATER: readonly (readonly [method: Method, path: string, what: string])[] = [
  ['GET', '/containers/:id+/changes', 'docker diff'],
  ['GET', '/containers/:id+/export', 'docker export'],
  ['GET', '/containers/:id+/stats', 'docker stats'],
  ['POST', '/containers/:id+/update', 'docker update'],
  ['HEAD', '/containers/:id+/archive', 'docker cp'],
  ['GET', '/containers/:id+/archive', 'docker cp'],
  ['PUT', '/containers/:id+/archive', 'docker cp'],
  ['POST', '/containers/prune', 'docker container prune'],
  ['GET', '/containers/:id+/checkpoints', 'docker checkpoint'],
  ['POST', '/containers/:id+/checkpoints', 'docker checkpoint'],
  ['DELETE', '/containers/:id/checkpoints/:checkpoint', 'docker checkpoint'],
  ['POST', '/commit', 'docker commit'],
  ['POST', '/images/:name+/push', 'docker push'],
  ['GET', '/images/:name+/get', 'docker save'],
  ['GET', '/images/get', 'docker save'],
  ['GET', '/images/search', 'docker search'],
  ['POST', '/images/prune', 'docker image prune'],
  ['GET', '/distribution/:name+/json', 'asking a registry about an image'],
  ['POST', '/auth', 'docker login'],
  ['POST', '/build', 'docker build'],
  ['POST', '/build/prune', 'docker builder prune'],
  ['POST', '/build/cancel', 'docker build'],
  ['POST', '/session', 'a BuildKit session'],
  ['POST', '/grpc', 'BuildKit over gRPC'],
  ['GET', '/system/df', 'docker system df'],
  ['POST', '/networks/create', 'docker network create'],
  ['POST', '/networks/:id/connect', 'docker network connect'],
  ['POST', '/networks/:id/disconnect', 'docker network disconnect'],
  ['POST', '/networks/prune', 'docker network prune'],
  ['DELETE', '/networks/:id', 'docker network rm'],
  ['POST', '/volumes/create', 'docker volume create'],
  ['PUT', '/volumes/:name', 'docker volume update'],
  ['DELETE', '/volumes/:name', 'docker volume rm'],
  ['POST', '/volumes/prune', 'docker volume prune'],
  ['GET', '/plugins/privileges', 'docker plugin install'],
  ['POST', '/plugins/pull', 'docker plugin install'],
  ['POST', '/plugins/create', 'docker plugin create'],
  ['POST', '/plugins/:name+/enable', 'docker plugin enable'],
  ['POST', '/plugins/:name+/disable', 'docker plugin disable'],
  ['POST', '/plugins/:name+/upgrade', 'docker plugin upgrade'],
  ['POST', '/plugins/:name+/push', 'docker plugin push'],
  ['POST', '/plugins/:name+/set', 'docker plugin set'],
  ['DELETE', '/plugins/:name+', 'docker plugin rm'],
  ['POST', '/swarm/init', 'swarm mode (docker swarm init)'],
  ['POST', '/swarm/join', 'swarm mode (docker swarm join)'],
];

/** Paths of a swarm manager. Clients tell by this answer that there is no swarm. */
const SWARM: readonly (readonly [method: Method, path: string])[] = [
  ['GET', '/swarm'],
  ['POST', '/swarm/update'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/unlock'],
  ...['nodes', 'services', 'secrets', 'configs'].flatMap(
    (kind) =>
      [
        ['GET', `/${kind}`],
        ['GET', `/${kind}/:id`],
        ['DELETE', `/${kind}/:id`],
        ['POST', `/${kind}/:id/update`],
      ] as const,
  ),
  ...['services', 'secrets', 'configs'].map((kind) => ['POST', `/${kind}/create`] as const),
  ['GET', '/services/:id/logs'],
  ['GET', '/tasks'],
  ['GET', '/tasks/:id'],
  ['GET', '/tasks/:id/logs'],
];

export const laterRoutes = (): readonly Route[] => [
  ...LATER.map(([method, path, what]) => refusing(method, path, () => new NotImplemented(`${what} is not there yet`))),
  ...SWARM.map(([method, path]) => refusing(method, path, noManager)),
  refusing('POST', '/swarm/leave', () => new Unavailable('This node is not part of a swarm')),
];

function refusing(method: Method, path: string, error: () => Error): Route {
  return {
    method,
    path,
    handle: async () => {
      throw error();
    },
  };
}

function noManager(): Unavailable {
  return new Unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm ' +
      'and try again.',
  );
}
