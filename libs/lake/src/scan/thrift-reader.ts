import { LakeError } from "../lake-error.ts";

/** Types of Thrift's compact protocol ("Thrift compact protocol encoding", field types). */
const Type = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** Structures nest no deeper than this in any Parquet footer. */
const DEPTH_MAX = 32;

/** The bytes at hand end before the structure does: more of them may help. */
export class OutOfBytes extends LakeError {
  constructor() {
    super("corrupt", "the footer ends early");
  }
}

/**
 * Reads Thrift's compact protocol, as Parquet footers have it. Nothing is built but what the visitor asks for; lengths
 * are checked against the bytes that are left before anything is taken.
 */
export class ThriftReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * Reads one struct: calls `visit` with each field's id. The visitor reads the value and says true, or false to have
   * it skipped. Booleans stand in the field's type and come as `flag`.
   */
  struct(visit: (id: number, flag: boolean) => boolean | "stop", depth = 0): void {
    if (depth > DEPTH_MAX) throw corrupt(`structures nest deeper than ${DEPTH_MAX} levels`);
    let id = 0;
    for (;;) {
      const header = this.#byte();
      const type = header & 0x0f;
      if (type === Type.stop) return;
      const delta = header >> 4;
      id = delta === 0 ? this.i32() : id + delta;
      const taken = visit(id, type === Type.true);
      if (taken === "stop") return;
      if (!taken) this.#skip(type, depth + 1);
    }
  }

  /** The number of elements of a list that must be of structs. */
  structList(): number {
    const { size, type } = this.#listHeader();
    if (type !== Type.struct) throw corrupt("a list has elements of another type than expected");
    return size;
  }

  i32(): number {
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      raw |= (byte & 0x7f) << shift;
      if (byte <= 0x7f) return (raw >>> 1) ^ -(raw & 1);
    }
    throw corrupt("a 32-bit number has more than five bytes");
  }

  i64(): bigint {
    const raw = this.#varint();
    return BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
  }

  string(): string {
    const start = this.#take(this.#length());
    return this.#bytes.toString("utf8", start, this.#position);
  }

  #listHeader(): { size: number; type: number } {
    const header = this.#byte();
    const size = header >> 4 === 15 ? this.#length() : header >> 4;
    // Every element takes a byte at least.
    if (size > this.#bytes.length - this.#position) throw new OutOfBytes();
    return { size, type: header & 0x0f };
  }

  #skip(type: number, depth: number): void {
    if (depth > DEPTH_MAX) throw corrupt(`structures nest deeper than ${DEPTH_MAX} levels`);
    switch (type) {
      case Type.true:
      case Type.false:
        return;
      case Type.byte:
        return void this.#take(1);
      case Type.i16:
      case Type.i32:
      case Type.i64:
        return void this.#varint();
      case Type.double:
        return void this.#take(8);
      case Type.binary:
        return void this.#take(this.#length());
      case Type.list:
      case Type.set:
        return this.#skipList(depth);
      case Type.struct:
        return this.struct(() => false, depth);
      default:
        throw corrupt(`a value of unknown type ${type}`);
    }
  }

  #skipList(depth: number): void {
    const { size, type } = this.#listHeader();
    // Booleans in lists take a byte each.
    const element = type === Type.true || type === Type.false ? Type.byte : type;
    for (let n = 0; n < size; n++) this.#skip(element, depth + 1);
  }

  #length(): number {
    const length = this.#varint();
    if (length > BigInt(this.#bytes.length)) throw new OutOfBytes();
    return Number(length);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte <= 0x7f) return value;
    }
    throw corrupt("a number has more than ten bytes");
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #take(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#bytes.length - start) throw new OutOfBytes();
    this.#position = start + bytes;
    return start;
  }
}

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", `the footer is damaged: ${why}`);
}
