/**
 * The shard that a key belongs to: FNV-1a (32 bit, http://www.isthe.com/chongo/tech/comp/fnv/) over the key's UTF-8
 * bytes, modulo the number of shards. Everything that follows from one key (a user's samples, their order, their
 * duplicates) stays in one shard, so the number of shards is fixed when a lake is made.
 */
export function shardOf(key: string, shards: number): number {
  if (!Number.isInteger(shards) || shards < 1) {
    throw new RangeError(`shards must be a whole number of at least 1, not ${shards}`);
  }
  return fnv1a32(key) % shards;
}

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a, 32 bit, of the UTF-8 bytes of `text`, as an unsigned integer. */
export function fnv1a32(text: string): number {
  let hash = OFFSET_BASIS;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return fnv1a32Bytes(Buffer.from(text, "utf8"));
    hash = Math.imul(hash ^ code, PRIME);
  }
  return hash >>> 0;
}

function fnv1a32Bytes(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
