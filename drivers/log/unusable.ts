import { InvalidParameter } from '../../api/errors.ts';

/** An option whose value Docker refuses when it starts the container. */
export class UnusableLog extends InvalidParameter {
  constructor(reason: string) {
    super(`failed to initialize logging driver: ${reason}`);
  }
}
