// What is written and read: each feature is a table's life in steps, with the rows that must be there at its marks,
// computed here and by no engine. Types are Iceberg's names, {list: type}, {map: [type, type]}, {struct: {name: type}}.
// Steps: {append: rows}, {delete: ids}, {evolve: changes, columns}, {repartition: [{source, transform}]}, {mark: name}.
import { evolvedPartitionSpec, evolvedSchema, positionDeletes, timeTravel } from "./changes.mjs";
import { mapAndNested, nullCollections } from "./nested.mjs";
import { decimals, extremes, microseconds, nullsAndNan, plain } from "./numbers.mjs";
import { beforeEpoch, longAgo, unicode } from "./text-and-time.mjs";

const id = { name: "id", type: "long" };

export const emptyTable = {
  name: "empty table",
  columns: [id, { name: "text", type: "string" }, { name: "tags", type: { map: ["string", "string"] } }],
  steps: [],
  rows: [],
};

export const features = [
  plain,
  positionDeletes,
  evolvedSchema,
  evolvedPartitionSpec,
  timeTravel,
  mapAndNested,
  nullCollections,
  nullsAndNan,
  emptyTable,
  extremes,
  microseconds,
  decimals,
  beforeEpoch,
  longAgo,
  unicode,
];

/** The name of a feature's table: one that no dialect has to quote. */
export function tableOf(feature) {
  return `t_${feature.name.replaceAll(/[^a-z0-9]+/gi, "_").toLowerCase()}`;
}
