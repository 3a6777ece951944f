import { LakeError } from "../lake-error.ts";

const COOKIE_WITH_RUNS = 12_347;
const COOKIE_WITHOUT_RUNS = 12_346;
/** Below so many containers a bitmap with runs has no offsets. */
const OFFSETS_FROM = 4;
const ARRAY_CARDINALITY_MAX = 4_096;
const BITMAP_BYTES = 8_192;
const CONTAINER_BITS = 65_536;

/** Positions of a file as bits: position 0 is the highest bit of the first byte. */
export interface PositionBits {
  readonly bits: Buffer;
  readonly count: number;
}

/**
 * A 64-bit Roaring bitmap in the portable format (Iceberg Puffin specification, `deletion-vector-v1`; Roaring's
 * "Standard 64-bit" and "32-bit" layouts) as bits.
 * @param positionsMax positions are below it; a higher one is `corrupt`
 */
export function roaringPositions(bytes: Buffer, positionsMax: number): PositionBits {
  const bits = Buffer.alloc(Math.ceil(positionsMax / 8));
  const reader = new LittleEndian(bytes);
  const bitmaps = reader.u64();
  // Each takes its key and a cookie at least.
  if (bitmaps > bytes.length / 8) throw corrupt("it has more bitmaps than bytes");
  let count = 0;
  const add = (position: number): void => {
    if (position >= positionsMax)
      throw corrupt(`position ${position} lies behind the ${positionsMax} rows of its file`);
    const mask = 0x80 >> (position & 7);
    const at = Math.floor(position / 8);
    if ((bits[at]! & mask) === 0) count++;
    bits[at]! |= mask;
  };
  for (let n = 0; n < bitmaps; n++) readBitmap(reader, reader.u32() * 2 ** 32, add);
  if (reader.remaining !== 0) throw corrupt("it has bytes after its bitmaps");
  return { bits, count };
}

function readBitmap(reader: LittleEndian, high: number, add: (position: number) => void): void {
  const cookie = reader.u32();
  const withRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!withRuns && cookie !== COOKIE_WITHOUT_RUNS) throw corrupt("a bitmap begins with an unknown cookie");
  const containers = withRuns ? (cookie >>> 16) + 1 : reader.u32();
  if (containers > CONTAINER_BITS) throw corrupt(`a bitmap has ${containers} containers`);
  const runFlags = withRuns ? reader.take(Math.ceil(containers / 8)) : undefined;
  const headers = Array.from({ length: containers }, () => ({ key: reader.u16(), cardinality: reader.u16() + 1 }));
  if (!withRuns || containers >= OFFSETS_FROM) reader.take(containers * 4);
  headers.forEach(({ key, cardinality }, n) => {
    const base = high + key * CONTAINER_BITS;
    if (runFlags !== undefined && (runFlags[n >> 3]! & (1 << (n & 7))) !== 0) readRuns(reader, base, add);
    else if (cardinality <= ARRAY_CARDINALITY_MAX) for (let i = 0; i < cardinality; i++) add(base + reader.u16());
    else readBits(reader.take(BITMAP_BYTES), base, add);
  });
}

function readRuns(reader: LittleEndian, base: number, add: (position: number) => void): void {
  for (let runs = reader.u16(); runs > 0; runs--) {
    const start = reader.u16();
    const last = start + reader.u16();
    if (last >= CONTAINER_BITS) throw corrupt("a run ends behind its container");
    for (let low = start; low <= last; low++) add(base + low);
  }
}

function readBits(bytes: Buffer, base: number, add: (position: number) => void): void {
  for (let at = 0; at < bytes.length; at++) {
    for (let byte = bytes[at]!, bit = 0; byte !== 0; byte >>= 1, bit++) if (byte & 1) add(base + at * 8 + bit);
  }
}

class LittleEndian {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u16(): number {
    return this.take(2).readUInt16LE();
  }

  u32(): number {
    return this.take(4).readUInt32LE();
  }

  u64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }

  take(bytes: number): Buffer {
    if (bytes > this.remaining) throw corrupt("it ends early");
    this.#position += bytes;
    return this.#bytes.subarray(this.#position - bytes, this.#position);
  }
}

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", `the deletion vector is damaged: ${why}`);
}
