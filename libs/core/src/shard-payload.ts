import type { PayloadEnvelope } from "./dataset.ts";
import { jsonItems, jsonMembers, type JsonMember, type JsonRange } from "./json-slice.ts";
import { shardOf } from "./shard.ts";

/** A payload, or the part of one that belongs to a shard. */
export interface PayloadPart {
  readonly bytes: Uint8Array;
  readonly shard: number;
}

/**
 * The shards that a JSON payload goes to. Where its records are of several shards it is cut: each part has the payload's
 * other members, and the records of its shard in their order, all with the bytes that they came with. A payload that a
 * validator will refuse whole (a member twice) stays whole.
 */
export function shardPayload(bytes: Uint8Array, envelope: PayloadEnvelope, shards: number): PayloadPart[] {
  const whole = (key: string): PayloadPart[] => [{ bytes, shard: shardOf(key, shards) }];
  const { byRecord } = envelope;
  if (byRecord === undefined || byRecord.keys.length === 0) return whole(envelope.shardKey);
  const shardOfRecord = byRecord.keys.map((key) => shardOf(key, shards));
  if (new Set(shardOfRecord).size === 1) return whole(byRecord.keys[0]!);
  const members = [...jsonMembers(bytes)];
  const records = members.find(({ key }) => key === byRecord.member);
  const isDouble = new Set(members.map(({ key }) => key)).size < members.length;
  if (records === undefined || isDouble) return whole(envelope.shardKey);
  return cut(bytes, members, records, shardOfRecord);
}

function cut(
  bytes: Uint8Array,
  members: readonly JsonMember[],
  records: JsonMember,
  shardOfRecord: readonly number[],
): PayloadPart[] {
  const byShard = new Map<number, JsonRange[]>();
  let index = 0;
  for (const item of jsonItems(bytes, records.start)) {
    const shard = shardOfRecord[index++]!;
    const items = byShard.get(shard);
    if (items) items.push(item);
    else byShard.set(shard, [item]);
  }
  const text = ({ start, end }: JsonRange) => Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  return [...byShard].map(([shard, items]) => {
    const parts: (Buffer | string)[] = ["{"];
    for (const member of members) {
      parts.push(parts.length > 1 ? "," : "", JSON.stringify(member.key), ":");
      if (member === records)
        parts.push("[", ...items.flatMap((item, at) => (at > 0 ? [",", text(item)] : [text(item)])), "]");
      else parts.push(text(member));
    }
    parts.push("}");
    return { shard, bytes: Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))) };
  });
}
