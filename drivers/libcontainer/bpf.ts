/**
 * An assembler for classic BPF (struct sock_filter, linux/filter.h). Jumps only go forward and their distance is a byte,
 * so a program is built from its end to its beginning: every target is there, and its distance known, when a jump to
 * it is written. A target out of reach gets a long jump on the way.
 */
export const BPF = {
  /** Load a 32-bit word of struct seccomp_data into the accumulator. */
  load: 0x20,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  jumpAlways: 0x05,
  and: 0x54,
  return: 0x06,
} as const;

/** linux/bpf_common.h, BPF_MAXINSNS. */
const MAX_INSTRUCTIONS = 4096;
const MAX_SHORT_JUMP = 255;
const INSTRUCTION_BYTES = 8;

/** An instruction's place, counted from the end of the program. */
export type Label = number;

interface Instruction {
  readonly code: number;
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly k: number;
}

export class Assembler {
  readonly #reversed: Instruction[] = [];

  /** Puts an instruction in front of all that there are, and gives its label. */
  emit(code: number, k: number): Label {
    return this.#push({ code, ifTrue: 0, ifFalse: 0, k });
  }

  /** A comparison of the accumulator with `k`, in front of all that there is. */
  branch(code: number, k: number, ifTrue: Label, ifFalse: Label): Label {
    if (this.#distance(ifTrue) > MAX_SHORT_JUMP) return this.branch(code, k, this.jump(ifTrue), ifFalse);
    if (this.#distance(ifFalse) > MAX_SHORT_JUMP) return this.branch(code, k, ifTrue, this.jump(ifFalse));
    return this.#push({ code, ifTrue: this.#distance(ifTrue), ifFalse: this.#distance(ifFalse), k });
  }

  jump(target: Label): Label {
    return this.emit(BPF.jumpAlways, this.#distance(target));
  }

  /** Makes sure that what comes next falls through to `target`. */
  fallThrough(target: Label): Label {
    return this.#distance(target) === 0 ? target : this.jump(target);
  }

  /** How far the next instruction would have to jump to get there. */
  #distance(target: Label): number {
    return this.#reversed.length - 1 - target;
  }

  /** True when the next instruction reaches it by a short jump. */
  reaches(target: Label): boolean {
    return this.#distance(target) <= MAX_SHORT_JUMP;
  }

  get length(): number {
    return this.#reversed.length;
  }

  /** The program as an array of struct sock_filter, little-endian. */
  bytes(): Buffer {
    if (this.#reversed.length > MAX_INSTRUCTIONS)
      throw new RangeError(`a filter of ${this.#reversed.length} instructions`);
    const bytes = Buffer.alloc(this.#reversed.length * INSTRUCTION_BYTES);
    this.#reversed.toReversed().forEach(({ code, ifTrue, ifFalse, k }, index) => {
      const at = index * INSTRUCTION_BYTES;
      bytes.writeUInt16LE(code, at);
      bytes.writeUInt8(ifTrue, at + 2);
      bytes.writeUInt8(ifFalse, at + 3);
      bytes.writeUInt32LE(k >>> 0, at + 4);
    });
    return bytes;
  }

  #push(instruction: Instruction): Label {
    return this.#reversed.push(instruction) - 1;
  }
}
