import type { DailyPrice } from "./price-source.ts";

/** A stored day's adjusted price. */
export interface StoredPrice {
  readonly day: number;
  readonly adjClose: number;
}

/**
 * Puts fresh adjusted prices on the base of the stored ones. A source counts back from its newest day, so each dividend
 * moves all of its past; what is stored stays, and the new days follow on it with the source's own returns.
 *
 * The factor is taken on the last stored day before `from` that the source has too; without one it is 1.
 */
export function chainAdjusted(
  fresh: readonly DailyPrice[],
  stored: readonly StoredPrice[],
  from: number,
): readonly DailyPrice[] {
  const byDay = new Map(fresh.map((price) => [price.day, price]));
  const anchor = [...stored]
    .sort((one, other) => other.day - one.day)
    .find(({ day }) => day < from && (byDay.get(day)?.adjClose ?? null) !== null);
  const factor = anchor === undefined ? 1 : anchor.adjClose / byDay.get(anchor.day)!.adjClose!;
  const wanted = fresh.filter(({ day }) => day >= from);
  if (factor === 1) return wanted;
  return wanted.map((price) => ({ ...price, adjClose: price.adjClose === null ? null : price.adjClose * factor }));
}
