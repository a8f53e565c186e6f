/**
 * A kernel program as bytes, little-endian, for the interpreter in native/:
 *
 *   "GKP1"                         magic
 *   u32 bytes in all · u32 number of operations
 *   per operation: u16 code · u16 0 · u32 bytes of payload · payload
 *   payload: the fields in the order of the table
 *     u32 i32 u64       as they are
 *     string            u32 length · bytes · NUL (not counted)
 *     bytes             u32 length · bytes
 *     strings           u32 count · each as a string
 */
import { InvalidParameter } from '../../api/errors.ts';
import { type FieldType, OPERATIONS, type Operation } from './program.ts';

const PROGRAM_MAGIC = 'GKP1';
/** What the interpreter takes at the most: programs come from us, a larger one is a mistake. */
export const MAX_PROGRAM_BYTES = 16 * 1024 * 1024;

export function encodeProgram(operations: readonly Operation[]): Buffer {
  const writer = new Writer();
  writer.ascii(PROGRAM_MAGIC);
  const size = writer.skip(4);
  writer.u32(operations.length);
  for (const operation of operations) {
    const { code, fields } = OPERATIONS[operation.op];
    writer.u16(code);
    writer.u16(0);
    const payloadSize = writer.skip(4);
    writeFields(writer, operation, fields);
    writer.patch(payloadSize, writer.length - payloadSize - 4);
  }
  writer.patch(size, writer.length);
  return writer.bytes();
}

function writeFields(writer: Writer, operation: Operation, fields: Readonly<Record<string, FieldType>>): void {
  const values: Readonly<Record<string, unknown>> = { ...operation };
  for (const name in fields) {
    const type = fields[name];
    if (type === undefined || !writeField(writer, type, values[name])) {
      throw new TypeError(`${operation.op}.${name}: not a ${type}`);
    }
  }
}

/** False for a value of another type. */
function writeField(writer: Writer, type: FieldType, value: unknown): boolean {
  if (type === 'strings') return Array.isArray(value) && writeStrings(writer, value);
  if (type === 'string') return typeof value === 'string' && writer.string(value);
  if (type === 'bytes') return value instanceof Uint8Array && writer.blob(value);
  if (type === 'u64') return typeof value === 'bigint' && writer.u64(value);
  return typeof value === 'number' && (type === 'u32' ? writer.u32(value) : writer.i32(value));
}

function writeStrings(writer: Writer, values: readonly unknown[]): boolean {
  writer.u32(values.length);
  return values.every((value) => writer.string(String(value)));
}

/** Bytes in a row, in a buffer that grows. Writing answers true, so that it can stand in a condition. */
class Writer {
  #bytes = Buffer.allocUnsafe(16 * 1024);
  length = 0;

  ascii(word: string): void {
    this.length += this.#room(word.length).write(word, this.length, 'latin1');
  }

  u16(value: number): void {
    this.length = this.#room(2).writeUInt16LE(value, this.length);
  }

  u32(value: number): true {
    this.length = this.#room(4).writeUInt32LE(value, this.length);
    return true;
  }

  i32(value: number): true {
    this.length = this.#room(4).writeInt32LE(value, this.length);
    return true;
  }

  u64(value: bigint): true {
    this.length = this.#room(8).writeBigUInt64LE(value, this.length);
    return true;
  }

  /** Fails with InvalidParameter for a NUL: to the kernel the string would end there. */
  string(value: string): true {
    if (value.includes('\0')) throw new InvalidParameter(`invalid argument: NUL byte in ${JSON.stringify(value)}`);
    const size = Buffer.byteLength(value);
    this.u32(size);
    this.#room(size + 1).write(value, this.length);
    this.#bytes[this.length + size] = 0;
    this.length += size + 1;
    return true;
  }

  blob(value: Uint8Array): true {
    this.u32(value.length);
    this.#room(value.length).set(value, this.length);
    this.length += value.length;
    return true;
  }

  /** Leaves room for a number to `patch` in. */
  skip(size: number): number {
    this.#room(size);
    this.length += size;
    return this.length - size;
  }

  patch(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  #room(size: number): Buffer {
    const needed = this.length + size;
    if (needed > MAX_PROGRAM_BYTES) throw new InvalidParameter('argument list too long');
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
    return larger;
  }
}
