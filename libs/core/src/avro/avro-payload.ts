import { formatInstantUs } from "../instant.ts";
import type { JsonRange } from "../json-slice.ts";
import { AvroBytes } from "./avro-bytes.ts";
import { AvroError } from "./avro-error.ts";
import { parseAvroSchema, type AvroRecordType, type AvroType } from "./avro-schema.ts";

/** Values nested in values, as JSON payloads may be. */
const DEPTH_MAX = 64;
/** Items without any byte (nulls, empty records) that a block may announce: more would cost memory for nothing. */
const EMPTY_ITEMS_MAX = 10_000;

export interface ArrayLayout extends JsonRange {
  readonly items: readonly JsonRange[];
}

type Read = (bytes: AvroBytes, depth: number) => unknown;

/**
 * Reads payloads of one writer's schema into the form that JSON payloads have, so that one set of rules holds for both.
 *
 * The writer's schema is resolved to the reader's by name: a dataset reads the fields that it knows and leaves others
 * alone; what a record does not have, or has as null, is absent; every kind of number is a number, an enum is its
 * symbol, and a long that is a `timestamp-millis` or `-micros` is an ISO 8601 instant. A value of another kind than the
 * dataset wants stays what it is, and the dataset's validation says so of that record alone.
 */
export class AvroPayloadReader {
  readonly #type: AvroType;
  readonly #read: Read;
  readonly #compiled = new Map<AvroType, Read>();

  /** @throws AvroError `schema` */
  constructor(schema: string) {
    this.#type = parseAvroSchema(schema);
    this.#read = this.#compile(this.#type);
  }

  /** The value whose encoding are the bytes from `start` to their end. @throws AvroError `body` */
  read(bytes: Uint8Array, start: number): unknown {
    const body = new AvroBytes(bytes, start);
    const value = this.#read(body, 0);
    if (body.remaining > 0) throw new AvroError("body", `${body.remaining} bytes follow the body`);
    return value;
  }

  /**
   * Where an array field of the payload lies, from its first block's count to its end, and where its items do, in
   * order. The bytes are ones that `read` took. Undefined where the field is none, or is no array in these bytes.
   */
  arrayLayout(bytes: Uint8Array, start: number, field: string): ArrayLayout | undefined {
    const body = new AvroBytes(bytes, start);
    const record = chosen(this.#type, body);
    for (const { name, type } of record.kind === "record" ? record.fields : []) {
      const found = name === field ? chosen(type, body) : undefined;
      if (found?.kind === "array") {
        const from = body.position;
        const items = rangesOf(body, this.#compile(found.items));
        return { start: from, end: body.position, items };
      }
      this.#compile(found ?? type)(body, 0);
    }
    return undefined;
  }

  #compile(type: AvroType): Read {
    const known = this.#compiled.get(type);
    if (known !== undefined) return known;
    // A record may hold itself: what is compiled inside of it finds this.
    this.#compiled.set(type, (bytes, depth) => this.#compiled.get(type)!(bytes, depth));
    const read = this.#reader(type);
    this.#compiled.set(type, read);
    return read;
  }

  #reader(type: AvroType): Read {
    switch (type.kind) {
      case "null":
        return () => null;
      case "boolean":
        return (bytes) => bytes.boolean();
      case "int":
        return (bytes) => bytes.long();
      case "long":
        return type.logical === undefined ? (bytes) => bytes.long() : instantReader(type.logical);
      case "float":
        return (bytes) => bytes.float();
      case "double":
        return (bytes) => bytes.double();
      case "string":
        return (bytes) => bytes.string();
      case "bytes":
        return (bytes) => bytes.bytes().toString("base64");
      case "fixed":
        return (bytes) => bytes.fixed(type.size).toString("base64");
      case "enum":
        return (bytes) => at(type.symbols, bytes.long(), "symbol of an enum");
      case "array":
        return this.#arrayReader(this.#compile(type.items));
      case "map":
        return this.#mapReader(this.#compile(type.values));
      case "union":
        return unionReader(type.branches.map((branch) => this.#compile(branch)));
      case "record":
        return this.#recordReader(type);
    }
  }

  #arrayReader(read: Read): Read {
    return (bytes, depth) => {
      const items: unknown[] = [];
      const inner = deeper(depth);
      eachItem(bytes, () => void items.push(read(bytes, inner)));
      return items;
    };
  }

  #mapReader(read: Read): Read {
    return (bytes, depth) => {
      const entries: [string, unknown][] = [];
      const inner = deeper(depth);
      eachItem(bytes, () => {
        const key = bytes.string();
        entries.push([key, read(bytes, inner)]);
      });
      return Object.fromEntries(entries);
    };
  }

  #recordReader({ fields }: AvroRecordType): Read {
    const readers = fields.map(({ name, type }) => ({ name, read: this.#compile(type) }));
    return (bytes, depth) => {
      const inner = deeper(depth);
      const record: Record<string, unknown> = {};
      for (const { name, read } of readers) {
        const value = read(bytes, inner);
        if (value !== null && name !== "__proto__") record[name] = value;
      }
      return record;
    };
  }
}

function instantReader(logical: "timestamp-millis" | "timestamp-micros"): Read {
  const unitUs = logical === "timestamp-millis" ? 1000 : 1;
  return (bytes) => {
    const value = bytes.long();
    // Of an instant outside of the calendar the number stays: validation refuses it, and names the field.
    return Math.abs(value * unitUs) <= INSTANT_US_MAX ? formatInstantUs(value * unitUs) : value;
  };
}

/** About the years 1700 to 2249, the ones that instants are read in. */
const INSTANT_US_MAX = 8.5e15;

function unionReader(branches: readonly Read[]): Read {
  return (bytes, depth) => at(branches, bytes.long(), "branch of a union")(bytes, depth);
}

/** The type of the value that comes next: of a union the branch that the bytes name. */
function chosen(type: AvroType, bytes: AvroBytes): AvroType {
  if (type.kind !== "union") return type;
  return chosen(at(type.branches, bytes.long(), "branch of a union"), bytes);
}

function rangesOf(bytes: AvroBytes, read: Read): JsonRange[] {
  const ranges: JsonRange[] = [];
  eachItem(bytes, () => {
    const start = bytes.position;
    read(bytes, 0);
    ranges.push({ start, end: bytes.position });
  });
  return ranges;
}

/** The items of an array or a map, block by block. A count that the bytes cannot hold is refused before it costs. */
function eachItem(bytes: AvroBytes, read: () => void): void {
  let empty = 0;
  for (let count = bytes.long(); count !== 0; count = bytes.long()) {
    // A negative count is followed by the size of the block in bytes.
    if (count < 0) bytes.long();
    const items = Math.abs(count);
    if (items > bytes.remaining + EMPTY_ITEMS_MAX) throw new AvroError("body", `a block announces ${items} items`);
    for (let left = items; left > 0; left--) {
      const before = bytes.position;
      read();
      if (bytes.position === before && ++empty > EMPTY_ITEMS_MAX) throw new AvroError("body", "too many empty items");
    }
  }
}

function deeper(depth: number): number {
  if (depth >= DEPTH_MAX) throw new AvroError("body", `values nest deeper than ${DEPTH_MAX} levels`);
  return depth + 1;
}

function at<T>(list: readonly T[], index: number, what: string): T {
  const found = list[index];
  if (found === undefined) throw new AvroError("body", `there is no ${what} with the index ${index}`);
  return found;
}
