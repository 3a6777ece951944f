/** A person's heart rates, sent to the lake in one process, and what its aggregates must then hold. */
import type { RollupDefinition } from "@firn/core";
import { expect } from "vitest";
import type { HealthModel, ModelSample } from "./health-model.ts";
import type { InProcessLake } from "./in-process-lake.ts";

export const user = "ada";

export function sample(id: string, value: number, day = "2026-03-01"): ModelSample {
  return { id, type: "heartRate", value, startMs: Date.parse(`${day}T08:00:00Z`) };
}

/** Sends samples; `refused` are ids of some without a value, which become dead letters. */
export async function sendSamples(
  lake: InProcessLake,
  samples: readonly ModelSample[],
  refused: readonly string[] = [],
): Promise<void> {
  const good = samples.map(({ id, type, value, startMs }) => {
    const at = new Date(startMs).toISOString();
    return { id, type, value, unit: "count/min", startDate: at, endDate: at };
  });
  await lake.send([{ deviceId: "phone", userId: user, samples: [...good, ...refused.map((id) => ({ id }))] }]);
}

export function rollupOf(lake: InProcessLake, name: string): RollupDefinition {
  const found = lake.dataset.rollups.find((rollup) => rollup.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

/** Every aggregate has the model's windows, with their counts and sums. */
export async function expectAggregates(lake: InProcessLake, model: HealthModel): Promise<void> {
  for (const rollup of lake.dataset.rollups) {
    const rows = await lake.rows<Record<string, unknown>>(rollup.table);
    const found = rows.map((row) => [
      row[rollup.periodColumns.start],
      row["count"],
      Number(row["sum_value"]).toFixed(6),
    ]);
    const expected = [...model.windows(rollup.period)].map(([key, window]) => [
      (JSON.parse(key) as string[])[2],
      window.count,
      window.sum_value.toFixed(6),
    ]);
    expect(found.sort()).toEqual(expected.sort());
  }
}
