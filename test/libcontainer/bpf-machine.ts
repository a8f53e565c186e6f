/** Runs a classic BPF filter as the kernel would (net/core/filter.c, kernel/seccomp.c). */
export interface Call {
  /** AUDIT_ARCH_*. */
  readonly arch: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

export interface Verdict {
  readonly value: number;
  /** Instructions that were looked at. */
  readonly steps: number;
}

export function runFilter(filter: Buffer, call: Call): Verdict {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.arch >>> 0, 4);
  (call.args ?? []).forEach((value, index) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index);
  });
  let accumulator = 0;
  for (let at = 0, steps = 1; ; at++, steps++) {
    const code = filter.readUInt16LE(at * 8);
    const k = filter.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => filter.readUInt8(at * 8 + (holds ? 2 : 3));
    if (code === 0x06) return { value: k, steps };
    else if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) at += jump(accumulator === k);
    else if (code === 0x25) at += jump(accumulator > k);
    else if (code === 0x35) at += jump(accumulator >= k);
    else throw new Error(`instruction ${code} at ${at}`);
  }
}
