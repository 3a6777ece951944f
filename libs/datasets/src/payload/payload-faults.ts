import { findJsonFaults, jsonItems, jsonMembers, type JsonFault, type JsonRange } from "@firn/core";

/** Duplicate keys and lone surrogates of a payload, by the record that they are in. */
export interface PayloadFaults {
  /** In the payload itself: outside of its records. */
  readonly payload: readonly JsonFault[];
  /** Of records, by the payload's member that they are in and their index there. */
  readonly records: ReadonlyMap<string, ReadonlyMap<number, readonly JsonFault[]>>;
}

export const NO_FAULTS: PayloadFaults = { payload: [], records: new Map() };

/** Reads the text (an object that `JSON.parse` took) token by token; `members` are those that hold records. */
export function findPayloadFaults(bytes: Uint8Array, members: readonly string[]): PayloadFaults {
  const payload: JsonFault[] = [];
  const records = new Map(members.map((member) => [member, new Map<number, readonly JsonFault[]>()]));
  const keys = new Set<string>();
  for (const member of jsonMembers(bytes)) {
    const { key } = member;
    if (keys.has(key)) payload.push({ kind: "duplicate_key", path: key });
    keys.add(key);
    const items = records.get(key);
    if (items) findItemFaults(bytes, member, items);
    else for (const fault of findJsonFaults(bytes, member)) payload.push({ ...fault, path: joined(key, fault.path) });
  }
  return { payload, records };
}

function findItemFaults(bytes: Uint8Array, array: JsonRange, into: Map<number, readonly JsonFault[]>): void {
  if (bytes[array.start] !== "[".charCodeAt(0)) return;
  let index = 0;
  for (const item of jsonItems(bytes, array.start)) {
    const faults = findJsonFaults(bytes, item);
    if (faults.length > 0) into.set(index, faults);
    index++;
  }
}

function joined(key: string, path: string): string {
  return path === "" || path.startsWith("[") ? key + path : `${key}.${path}`;
}

const SHOWN_LENGTH_MAX = 128;

export function faultText(fault: JsonFault): string {
  const path = JSON.stringify(fault.path.slice(0, SHOWN_LENGTH_MAX)).slice(1, -1);
  return fault.kind === "duplicate_key"
    ? `${path} is a duplicate key: a key may stand once in an object`
    : `${path} holds a lone surrogate: text must be well-formed Unicode`;
}
