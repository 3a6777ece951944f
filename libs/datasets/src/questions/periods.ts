import {
  orderBy,
  selectList,
  sqlName,
  type PageKey,
  type PlanInput,
  type QuestionPlan,
  type Reach,
  type RollupDefinition,
} from "@firn/core";
import { columnsOf } from "./answer-columns.ts";
import { periodRange } from "./period-range.ts";
import { askedKinds, ofDimensions } from "./selection.ts";

/** The rollup of this name. @throws Error where the dataset has none */
export function rollupOf(input: PlanInput, name: string): RollupDefinition {
  const rollup = input.dataset.rollups.find((candidate) => candidate.name === name);
  if (rollup === undefined) throw new Error(`dataset ${input.dataset.name} has no rollup ${name}`);
  return rollup;
}

/** `daily`, `weekly`, `monthly`: rows of a rollup over a range, by period. */
export function planPeriods(input: PlanInput, rollupName: string): QuestionPlan {
  const rollup = rollupOf(input, rollupName);
  const { parameters } = input;
  const start = rollup.periodColumns.start;
  const columns = columnsOf(rollup.table);
  const kinds = askedKinds(input);
  const key: PageKey = {
    columns: [
      { name: start, direction: "asc" },
      ...rollup.dimensions.map((name) => ({ name, direction: "asc" }) as const),
    ],
  };
  const where = [...ofDimensions(input), ...periodRange(rollup, parameters)];
  const last = parameters["last"] as number | undefined;
  const reach: Reach =
    last === undefined
      ? { column: start, direction: "asc", until: "limit" }
      : { column: start, direction: "desc", until: { distinct: last } };
  return {
    table: rollup.table,
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: parameters["limit"] as number,
    key,
    reach,
    ...(kinds === undefined ? {} : { unitsOf: kinds }),
    sql: (relation, page) => {
      const name = sqlName(start);
      const latest = `(SELECT min(p) FROM (SELECT DISTINCT ${name} AS p FROM asked ORDER BY p DESC LIMIT ${last}))`;
      const since = last === undefined ? "" : ` AND ${name} >= ${latest}`;
      return `WITH asked AS (${relation}) SELECT ${selectList(columns)} FROM asked WHERE ${page.after}${since} ORDER BY ${orderBy(key.columns)} LIMIT ${page.limit}`;
    },
  };
}
