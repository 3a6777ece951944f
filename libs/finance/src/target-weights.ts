import type { AlignedPrices } from "./price-series.ts";
import { monthEnds, monthOf } from "./trading-period.ts";

/** `eq`: equal weights. `dual_mmt`: dual momentum over twelve look-backs. */
export type Algorithm = "eq" | "dual_mmt";

/** What an algorithm wants on one rebalance day: one value an asset, in the order of the assets. What is left is cash. */
export interface Target {
  readonly weights: readonly number[];
  /** What the weights follow from; null where there was too little history to have one. */
  readonly scores: readonly (number | null)[];
}

/** The target of a rebalance on a date. */
export type TargetOf = (date: number) => Target;

const LOOK_BACKS = 12;
const BEST = 4;

/** @param history prices on all dates that the assets share, also those before the window */
export function targetsOf(algorithm: Algorithm, history: AlignedPrices): TargetOf {
  const assets = history.prices.length;
  switch (algorithm) {
    case "eq": {
      const equal = { weights: Array<number>(assets).fill(1 / assets), scores: Array<number>(assets).fill(1) };
      return () => equal;
    }
    case "dual_mmt":
      return dualMomentum(history);
  }
}

/**
 * Dual momentum: of the last 13 month-ends before the month of the rebalance, the newest is compared with each of the
 * twelve before it. An asset's score is the share of them that it stands above; the four best are held by score, of
 * equal scores those that come first. Cash where there are fewer than 13 month-ends or every score is zero.
 */
function dualMomentum({ dates, prices }: AlignedPrices): TargetOf {
  const { months, indexes } = monthEnds(dates);
  const cash = { weights: prices.map(() => 0), scores: prices.map(() => null) };
  return (date) => {
    const month = monthOf(date);
    let completed = months.length;
    while (completed > 0 && months[completed - 1]! >= month) completed--;
    if (completed < LOOK_BACKS + 1) return cash;
    const ends = indexes.slice(completed - LOOK_BACKS - 1, completed);
    const scores = prices.map((own) => shareBelow(own, ends));
    return { weights: bestByScore(scores), scores };
  };
}

/** The share of the earlier month-ends whose price the newest one is above. */
function shareBelow(prices: readonly number[], ends: readonly number[]): number {
  const newest = prices[ends.at(-1)!]!;
  return ends.slice(0, -1).filter((end) => newest / prices[end]! - 1 > 0).length / LOOK_BACKS;
}

function bestByScore(scores: readonly number[]): number[] {
  const order = scores.map((_, index) => index).sort((one, other) => scores[other]! - scores[one]! || one - other);
  const best = order.slice(0, BEST);
  const total = best.reduce((sum, index) => sum + scores[index]!, 0);
  return scores.map((score, index) => (total > 0 && best.includes(index) ? score / total : 0));
}
