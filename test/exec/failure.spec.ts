import { expect } from 'chai';
import { CommandNotExecutable, CommandNotFound, InvalidParameter, OperationFailed } from '../../api/errors.ts';
import { programFailure, type Verb, warningOf } from '../../drivers/exec/failure.ts';
import { optionWord } from '../../drivers/exec/launch.ts';
import { containerProgram } from '../../drivers/libcontainer/container-program.ts';
import type { OperationName } from '../../drivers/libcontainer/program.ts';
import { BASE_PLAN, BASE_SPEC, machine, mount } from '../libcontainer/specs.ts';

const ENOENT = 2;
const ENOEXEC = 8;
const EACCES = 13;
const ENOTDIR = 20;
const EINVAL = 22;

const program = containerProgram(
  {
    ...BASE_PLAN,
    spec: {
      ...BASE_SPEC,
      mounts: [...BASE_SPEC.mounts, mount('/data', 'bind', '/srv', 'rbind')],
      linux: {
        ...BASE_SPEC.linux,
        sysctl: { 'net.nope': '1' },
        resources: {
          ...BASE_SPEC.linux.resources,
          memory: { ...BASE_SPEC.linux.resources.memory, limit: 1, swap: 2 },
          blockIO: { weight: 10 },
        },
      },
    },
  },
  machine(),
);
const last = (op: OperationName) => program.findLastIndex((operation) => operation.op === op);
const fail = (op: OperationName | null, errno: number, detail = '', verb: Verb = 'run') =>
  programFailure(verb, program, { op: op === null ? -1 : last(op), errno, detail, ns: [] });

const RUN =
  'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ';

describe('programFailure', () => {
  it('tells exactly which operation failed, where Docker has no words', () => {
    const error = fail('pivot_root', EINVAL);
    expect(error).to.be.instanceOf(OperationFailed);
    expect(error.message).to.equal(
      `${RUN}pivot_root to the rootfs failed: EINVAL (operation ${last('pivot_root') + 1} of ${program.length}, asked for by exec): unknown`,
    );
    expect(error.httpStatus).to.equal(500);
  });

  it('names the driver that asked', () => {
    expect(fail('overlay', EINVAL).message).to.match(
      /mount overlay on .* failed: EINVAL \(operation \d+ of \d+, asked for by graph\/overlay2\)/,
    );
  });

  it('tells what a monitor itself could not do', () => {
    expect(fail(null, ENOENT, 'the log cannot be opened').message).to.equal(`${RUN}the log cannot be opened: unknown`);
    expect(fail(null, EACCES).message).to.equal(`${RUN}permission denied: unknown`);
  });

  it('gives the exit status of a shell to a program that cannot be run', () => {
    const words = 'exec: "sh": executable file not found in $PATH';
    const missing = fail('execve', ENOENT, words);
    expect([missing.constructor, missing.message]).to.deep.equal([CommandNotFound, `${RUN}${words}: unknown`]);
    for (const errno of [EACCES, ENOEXEC]) expect(fail('execve', errno)).to.be.instanceOf(CommandNotExecutable);
  });

  it('has other words for an exec', () => {
    expect(fail('execve', ENOENT, 'exec: "sh": gone', 'exec').message).to.equal(
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": gone: unknown',
    );
  });

  it('leaves a wrong user or working directory without a prefix', () => {
    const user = fail('lookup_user', EINVAL, 'unable to find user x: no matching entries in passwd file');
    expect([user.constructor, user.message]).to.deep.equal([
      InvalidParameter,
      'unable to find user x: no matching entries in passwd file',
    ]);
    expect(fail('chdir', ENOTDIR).message).to.equal('Cannot mkdir: / is not a directory');
  });

  it('says what was to be mounted where', () => {
    const text = fail('attach_beneath', ENOTDIR).message;
    expect(text).to.include('error mounting "/srv" to rootfs at "/data": mount /srv:/data: not a directory: unknown');
    expect(text).to.match(/: Are you trying to mount a directory onto a file \(or vice-versa\)\?/);
    expect(fail('attach_beneath', EINVAL).message).to.match(
      /invalid argument: unknown: Are you trying to mount a directory/,
    );
  });

  it('names the sysctl', () => {
    expect(fail('write_beneath', ENOENT).message).to.equal(
      `${RUN}error during container init: open /proc/sys/net/nope: no such file or directory: unknown`,
    );
  });
});

describe('warningOf', () => {
  const at = (suffix: string) =>
    program.findIndex((operation) => operation.op === 'write' && operation.path.endsWith(suffix));

  it("has Docker's words for limits that the kernel lacks", () => {
    expect(warningOf(program, { op: at('memory.memsw.limit_in_bytes'), errno: ENOENT })).to.match(
      /^Your kernel does not support swap limit/,
    );
    expect(warningOf(program, { op: at('.weight'), errno: ENOENT })).to.match(
      /^Your kernel does not support Block I\/O weight/,
    );
  });

  it('tells of any other operation', () => {
    expect(warningOf(program, { op: 0, errno: EACCES })).to.match(/^mkdir .* failed: EACCES \(operation 1 of/);
  });
});

describe('optionWord', () => {
  it('leaves no comma and no equals sign in a value', () => {
    expect(optionWord({ tty: 1, log_path: '/a,b=c/%d e' })).to.equal('tty=1,log_path=%2Fa%2Cb%3Dc%2F%25d%20e');
  });
});
