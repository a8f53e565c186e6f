/**
 * Every failure a caller can act on. The class says what kind it is; the message is Docker's own wording, since clients
 * and scripts match on it.
 *
 * `httpStatus` is what the server answers. `exitStatus` is how the job ends; `docker run` passes on 126 and 127, as a
 * shell does, and makes 125 of any other.
 */
export abstract class EngineError extends Error {
  abstract readonly httpStatus: number;
  readonly exitStatus: number = 1;

  override get name(): string {
    return this.constructor.name;
  }
}

export class InvalidParameter extends EngineError {
  readonly httpStatus = 400;
}
export class Forbidden extends EngineError {
  readonly httpStatus = 403;
}
export class NotFound extends EngineError {
  readonly httpStatus = 404;
}
export class Conflict extends EngineError {
  readonly httpStatus = 409;
}
export class TooLarge extends EngineError {
  readonly httpStatus = 413;
}
export class SystemFailure extends EngineError {
  readonly httpStatus = 500;
}
export class NotImplemented extends EngineError {
  readonly httpStatus = 501;
}
export class Unavailable extends EngineError {
  readonly httpStatus = 503;
}

/** The caller has gone away, or whoever ran the job raised its signal. As a shell has it: ended by SIGINT. */
export class Cancelled extends EngineError {
  readonly httpStatus = 499;
  override readonly exitStatus = 130;
}

/** No handler of that name: what a shell says, and its exit status. */
export class NoSuchJob extends NotFound {
  override readonly exitStatus = 127;
  constructor(name: string) {
    super(`${name}: command not found`);
  }
}

export class NoSuchContainer extends NotFound {
  constructor(reference: string) {
    super(`No such container: ${reference}`);
  }
}

export class NoSuchExec extends NotFound {
  constructor(id: string) {
    super(`No such exec instance: ${id}`);
  }
}

export class NoSuchImage extends NotFound {
  constructor(reference: string) {
    super(`No such image: ${reference}`);
  }
}

export class NotRunning extends Conflict {
  constructor(id: string) {
    super(`Container ${id} is not running`);
  }
}

export class NameInUse extends Conflict {
  constructor(name: string, holder: string) {
    super(
      `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    );
  }
}

/** The program is there but may not be run: EACCES from execve(2). */
export class CommandNotExecutable extends InvalidParameter {
  override readonly exitStatus = 126;
}

/** There is no such program in the rootfs: ENOENT from execve(2). */
export class CommandNotFound extends InvalidParameter {
  override readonly exitStatus = 127;
}

/**
 * An operation of a kernel program that failed, told exactly:
 * `mount overlay on /: EINVAL (operation 12 of 61, asked for by graph/overlay2)`.
 */
export class OperationFailed extends SystemFailure {
  readonly operation: string;
  /** The symbol of errno(3), such as `EINVAL`. */
  readonly errno: string;

  constructor(operation: string, errno: string, message: string) {
    super(message);
    this.operation = operation;
    this.errno = errno;
  }
}
