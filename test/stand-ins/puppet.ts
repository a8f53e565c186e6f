import { FrameReader, frameHeader, type STDERR, STDIN, STDOUT } from '../../api/streams.ts';
import type { Attachment, AttachRequest, Exit, Process } from '../../drivers/exec/driver.ts';
import { type Duplex, duplexPair } from './duplex-pair.ts';

const CLOSE_STDIN = 0x24;

/** A process that a test moves by hand: it says, hears and ends what it is told to, and is attached to for real. */
export class Puppet implements Process {
  readonly pid = 4_000_000;
  readonly startedAt = '2024-05-01T10:00:00Z';
  readonly warnings = [];
  readonly exited: Promise<Exit>;
  /** `height x width`, as they came. */
  readonly sizes: string[] = [];
  #heard = '';
  #isStdinClosed = false;
  #end: (exit: Exit) => void = () => {};
  readonly #ends = new Map<Duplex, Omit<AttachRequest, 'connected'>>();

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** What came on its stdin. */
  get heard(): string {
    return this.#heard;
  }

  get isStdinClosed(): boolean {
    return this.#isStdinClosed;
  }

  /** How many are attached now. */
  get audience(): number {
    return this.#ends.size;
  }

  says(text: string, stream: typeof STDOUT | typeof STDERR = STDOUT): void {
    const payload = Buffer.from(text);
    for (const [end, { stdout, stderr }] of this.#ends) {
      if (stream === STDOUT ? stdout : stderr) end.write(Buffer.concat([frameHeader(stream, payload.length), payload]));
    }
  }

  /** As a monitor does: the exit is known, then those who are attached see the end. */
  ends(code: number): void {
    this.#end({ code, oomKilled: false, at: '2024-05-01T10:00:01Z' });
    for (const end of this.#ends.keys()) end.end();
    this.#ends.clear();
  }

  signal(): void {}

  resize(height: number, width: number): void {
    this.sizes.push(`${height}x${width}`);
  }

  async attach(request: Omit<AttachRequest, 'connected'>): Promise<Attachment> {
    return this.connect(request);
  }

  connect(request: Omit<AttachRequest, 'connected'>): Attachment {
    const [ours, theirs] = duplexPair();
    this.#ends.set(theirs, request);
    theirs.once('end', () => this.#ends.delete(theirs));
    theirs.on('error', () => {});
    const frames = new FrameReader();
    theirs.on('data', (chunk: Buffer) => {
      for (const { type, payload } of frames.push(chunk)) {
        if (type === STDIN) this.#heard += payload.toString();
        if (type === CLOSE_STDIN) this.#isStdinClosed = true;
      }
    });
    return {
      connection: ours,
      writeStdin: (chunk) => ours.write(Buffer.concat([frameHeader(STDIN, chunk.length), chunk])),
      closeStdin: () => void ours.write(frameHeader(CLOSE_STDIN, 0)),
      detach: () => void ours.destroy(),
    };
  }
}
