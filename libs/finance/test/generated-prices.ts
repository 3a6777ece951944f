import { dayOfWeek } from "@firn/core";
import fc from "fast-check";
import type { PriceSeries } from "../src/price-series.ts";

/** Weekdays from a date on. */
export function weekdays(from: number, count: number): number[] {
  const dates: number[] = [];
  for (let date = from; dates.length < count; date++) if (dayOfWeek(date) <= 5) dates.push(date);
  return dates;
}

/** A deterministic random walk (Mulberry32), about 2 % a day. */
export function walk(seed: number, count: number, first = 100): number[] {
  let state = seed;
  let price = first;
  return Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    const uniform = ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    price *= 1 + (uniform - 0.48) * 0.08;
    return price;
  });
}

export function series(dates: readonly number[], prices: readonly number[]): PriceSeries {
  return { dates: [...dates], prices: [...prices] };
}

/** Assets over weekdays of about two years, each with some days missing. */
export const someAssets: fc.Arbitrary<PriceSeries[]> = fc
  .record({
    from: fc.integer({ min: 7000, max: 19000 }),
    days: fc.integer({ min: 3, max: 550 }),
    seeds: fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 7 }),
    gaps: fc.integer({ min: 0, max: 40 }),
  })
  .map(({ from, days, seeds, gaps }) => {
    const dates = weekdays(from, days);
    return seeds.map((seed) => {
      const prices = walk(seed, dates.length, 1 + (seed % 500));
      const kept = dates.map((_, index) => index === 0 || gaps === 0 || (seed + index * 31) % (gaps + 20) !== 0);
      return series(
        dates.filter((_, index) => kept[index]),
        prices.filter((_, index) => kept[index]),
      );
    });
  });
