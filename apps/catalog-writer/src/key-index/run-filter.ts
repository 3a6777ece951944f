/**
 * A blocked Bloom filter over keys: says of a key that a run does not have it, and is wrong about one in a hundred that
 * it has not. A block is one cache line; blocks lie in the order of the keys, so asking for keys in order reads the
 * filter from front to end.
 */

const bitsPerKey = 11;
const wordsPerBlock = 16;
const probes = 6;

export function emptyFilter(keys: number): Uint32Array {
  return new Uint32Array(Math.max(1, Math.ceil((keys * bitsPerKey) / (wordsPerBlock * 32))) * wordsPerBlock);
}

/** @param first, second, third the key's first words */
export function addToFilter(filter: Uint32Array, first: number, second: number, third: number): void {
  const block = blockOf(filter, first);
  for (let probe = 0; probe < probes; probe++)
    filter[block + ((third >>> (4 * probe)) & 15)]! |= 1 << ((second >>> (5 * probe)) & 31);
}

export function mayHave(filter: Uint32Array, first: number, second: number, third: number): boolean {
  const block = blockOf(filter, first);
  for (let probe = 0; probe < probes; probe++)
    if ((filter[block + ((third >>> (4 * probe)) & 15)]! & (1 << ((second >>> (5 * probe)) & 31))) === 0) return false;
  return true;
}

function blockOf(filter: Uint32Array, first: number): number {
  return Math.floor((first / 2 ** 32) * (filter.length / wordsPerBlock)) * wordsPerBlock;
}
