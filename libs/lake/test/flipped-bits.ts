import { isLakeError } from "../src/lake-error.ts";

/** One flipped bit after the other, the same in every run; what reading makes of each. */
export interface FlipOutcomes {
  refused: number;
  /** Other rows than are there. */
  readonly wrong: string[];
  /** Errors that are none of the lake's. */
  readonly crashed: string[];
}

export interface FlipOptions {
  readonly flips: number;
  /** The files that are flipped in turn, by chance. */
  readonly locations: readonly string[];
  original(location: string): Promise<Buffer>;
  /** True when what is read with the file's other bytes is what is read without. */
  readsTheSame(location: string, bytes: Buffer): Promise<boolean>;
}

const SEED = 20_261_121;

export async function flipBits({ flips, locations, original, readsTheSame }: FlipOptions): Promise<FlipOutcomes> {
  const next = random(SEED);
  const outcomes: FlipOutcomes = { refused: 0, wrong: [], crashed: [] };
  for (let n = 0; n < flips; n++) {
    const location = locations[Math.floor(next() * locations.length)]!;
    const bytes = await original(location);
    const bit = Math.floor(next() * bytes.length * 8);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const place = `bit ${bit} of ${location}`;
    try {
      if (!(await readsTheSame(location, bytes))) outcomes.wrong.push(place);
    } catch (error) {
      const refused = isLakeError(error, "corrupt", "unsupported", "invalid", "not_found");
      if (refused) outcomes.refused++;
      else outcomes.crashed.push(`${String(error)}: ${place}`);
    }
  }
  return outcomes;
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
