/**
 * A kernel program as bytes, little-endian, for the interpreter in native/:
 *
 *   "GKP1"                         magic
 *   u32 bytes in all · u32 number of operations
 *   per operation: u16 code · u16 0 · u32 bytes of payload · payload
 *   payload: the fields in the order of the table
 *     u32 i32 u64 i64   as they are
 *     string            u32 length · bytes · NUL (not counted)
 *     bytes             u32 length · bytes
 *     strings           u32 count · each as a string
 */
import { InvalidParameter } from '../../api/errors.ts';
import { type FieldType, OPERATIONS, type Operation } from './program.ts';

export const PROGRAM_MAGIC = 'GKP1';
/** What the interpreter takes at the most: programs come from us, a larger one is a mistake. */
export const MAX_PROGRAM_BYTES = 16 * 1024 * 1024;

export function encodeProgram(operations: readonly Operation[]): Buffer {
  const parts: Buffer[] = [];
  for (const operation of operations) {
    const { code, fields } = OPERATIONS[operation.op];
    const payload = encodeFields(operation, fields);
    const header = Buffer.alloc(8);
    header.writeUInt16LE(code, 0);
    header.writeUInt32LE(payload.length, 4);
    parts.push(header, payload);
  }
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(12);
  head.write(PROGRAM_MAGIC, 'latin1');
  head.writeUInt32LE(head.length + body.length, 4);
  head.writeUInt32LE(operations.length, 8);
  if (head.length + body.length > MAX_PROGRAM_BYTES) throw new InvalidParameter('argument list too long');
  return Buffer.concat([head, body]);
}

function encodeFields(operation: Operation, fields: Readonly<Record<string, FieldType>>): Buffer {
  const values: Readonly<Record<string, unknown>> = { ...operation };
  return Buffer.concat(
    Object.entries(fields).map(([name, type]) => encodeField(type, values[name], `${operation.op}.${name}`)),
  );
}

function encodeField(type: FieldType, value: unknown, name: string): Buffer {
  switch (type) {
    case 'u32':
    case 'i32':
      if (typeof value === 'number') return number32(type, value);
      break;
    case 'u64':
    case 'i64':
      if (typeof value === 'bigint') return number64(type, value);
      break;
    case 'string':
      if (typeof value === 'string') return string(value, name);
      break;
    case 'bytes':
      if (value instanceof Uint8Array) return Buffer.concat([number32('u32', value.length), value]);
      break;
    case 'strings':
      if (Array.isArray(value))
        return Buffer.concat([number32('u32', value.length), ...value.map((each) => string(String(each), name))]);
      break;
  }
  throw new TypeError(`${name}: not a ${type}`);
}

function number32(type: 'u32' | 'i32', value: number): Buffer {
  const bytes = Buffer.alloc(4);
  if (type === 'u32') bytes.writeUInt32LE(value);
  else bytes.writeInt32LE(value);
  return bytes;
}

function number64(type: 'u64' | 'i64', value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  if (type === 'u64') bytes.writeBigUInt64LE(value);
  else bytes.writeBigInt64LE(value);
  return bytes;
}

function string(value: string, name: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.includes(0)) throw new InvalidParameter(`invalid argument: NUL byte in ${name}`);
  return Buffer.concat([number32('u32', bytes.length), bytes, Buffer.of(0)]);
}
