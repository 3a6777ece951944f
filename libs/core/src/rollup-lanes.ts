/**
 * Rollups that move together: rounds of a lane have a subject of their own, and all tables of a lane are brought to the
 * same snapshot of raw. Days stand alone where weeks and months can be made from them, so that a day need not wait for
 * its month.
 */
import type { Dataset, RollupDefinition } from "./dataset.ts";
import { daysOf } from "./day-measures.ts";

export interface RollupLane {
  /** From 0; of the subject of its rounds. */
  readonly number: number;
  /** What its stage is called where it is parked. */
  readonly name: string;
  readonly rollups: readonly RollupDefinition[];
  /** The rollup of days whose published rows this lane's are made from; absent: they are made from raw. */
  readonly days?: RollupDefinition;
}

/** The lanes of a dataset, days first; none of a dataset without rollups. */
export function rollupLanes(dataset: Dataset): readonly RollupLane[] {
  const { rollups } = dataset;
  if (rollups.length === 0) return [];
  const days = daysOf(dataset).published;
  const others = rollups.filter((rollup) => rollup !== days);
  if (days === undefined || others.length === 0) return [{ number: 0, name: "rollup", rollups }];
  return [
    { number: 0, name: "rollup", rollups: [days] },
    { number: 1, name: "rollup.periods", rollups: others, days },
  ];
}
