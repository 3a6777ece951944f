const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Murmur3, 32 bits, x86 variant, seed 0 (specification, appendix B). The result is a signed 32-bit integer. */
export function murmur3(bytes: Uint8Array): number {
  const wholeBytes = bytes.length & ~3;
  let hash = 0;
  for (let i = 0; i < wholeBytes; i += 4) {
    hash = mixBlock(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= wholeBytes; i--) tail = (tail << 8) | bytes[i]!;
  if (wholeBytes !== bytes.length) hash ^= scramble(tail);
  return finish(hash, bytes.length);
}

/** The hash of the eight little-endian bytes of a 64-bit integer. */
export function murmur3Long(value: number | bigint): number {
  const [low, high] = halves(value);
  return finish(mixBlock(mixBlock(0, low), high), 8);
}

function halves(value: number | bigint): [number, number] {
  if (typeof value === "number") return [value | 0, Math.floor(value / 0x1_0000_0000) | 0];
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

function scramble(block: number): number {
  const spread = Math.imul(block, C1);
  return Math.imul((spread << 15) | (spread >>> 17), C2);
}

function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
