// What users of dockerode do, against the engine of DOCKER_HOST; says `done` when all of it went as it should.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import Docker from 'dockerode';

const docker = new Docker({ socketPath: process.env.DOCKER_HOST.replace('unix://', '') });
const text = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const demuxed = async (stream) => {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => {
    out.end();
    err.end();
  });
  return Promise.all([text(out), text(err)]);
};

assert.equal((await docker.ping()).toString(), 'OK');
assert.equal((await docker.version()).Os, 'linux');
assert.deepEqual((await docker.getImage('busybox').inspect()).RepoTags, ['busybox:latest']);

const seen = [];
const events = await docker.getEvents({ filters: { type: ['container'], container: ['js'] } });
events.on('data', (chunk) => {
  for (const line of chunk.toString().trim().split('\n')) seen.push(JSON.parse(line).Action);
});

const container = await docker.createContainer({
  name: 'js',
  Image: 'busybox',
  Cmd: ['sh', '-c', 'read line; echo got $line; echo bad >&2; read more; exit 7'],
  OpenStdin: true,
  StdinOnce: true,
  HostConfig: { NetworkMode: 'none' },
});
const attached = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
const said = demuxed(attached);
await container.start();
attached.write('word\n');

const follow = await container.logs({ follow: true, stdout: true });
const first = await new Promise((resolve) => follow.once('data', resolve));
assert.equal(first.subarray(8).toString(), 'got word\n');
assert.deepEqual(
  (await docker.listContainers({ filters: { name: ['js'] } })).map(({ State }) => State),
  ['running'],
);

const exec = await container.exec({ Cmd: ['sh', '-c', 'cat; exit 5'], AttachStdin: true, AttachStdout: true });
const running = await exec.start({ hijack: true, stdin: true });
const echoed = demuxed(running);
running.end('through\n');
assert.deepEqual(await echoed, ['through\n', '']);
assert.equal((await exec.inspect()).ExitCode, 5);

const terminal = await container.exec({ Cmd: ['tty'], AttachStdout: true, Tty: true });
assert.match(await text(await terminal.start({ Tty: true })), /^\/dev\/pts\/\d+\r\n$/);

const waiting = container.wait();
attached.end('end\n');
assert.equal((await waiting).StatusCode, 7);
assert.deepEqual(await said, ['got word\n', 'bad\n']);
await container.remove({ v: true });
await assert.rejects(container.inspect(), { statusCode: 404 });

const out = new PassThrough();
const whole = text(out);
const [result, ran] = await docker.run('busybox', ['echo', 'run'], out, {
  HostConfig: { NetworkMode: 'none' },
  Tty: true,
});
await ran.remove();
out.end();
assert.equal(result.StatusCode, 0);
assert.equal(await whole, 'run\r\n');

const options = { HostConfig: { NetworkMode: 'none', AutoRemove: true } };
const [removed] = await docker.run('busybox', ['sh', '-c', 'exit 3'], new PassThrough(), options);
assert.equal(removed.StatusCode, 3);
events.destroy();
assert.deepEqual(seen.slice(0, 3), ['create', 'attach', 'start']);
assert.ok(seen.includes('destroy'));
console.log('done');
