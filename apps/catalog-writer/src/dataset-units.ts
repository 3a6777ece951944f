/** What of a dataset is written as a piece of its own, and the tables of records that it has. */
import {
  acceptedSubject,
  acceptedTableSubject,
  type Dataset,
  type NeighbourColumn,
  recordTablesOf,
  rejectedSubject,
  type TableDefinition,
} from "@firn/core";

const recordsUnit = "records";
export const rollupsUnit = "rollups";

/** A table of records that have an identity. */
export interface KeyedTableDefinition {
  /** Of `unitsOf`. */
  readonly unit: string;
  /** What the stage is called within the dataset. */
  readonly part: string;
  readonly kind: "accepted" | "rejected";
  readonly definition: TableDefinition;
  readonly identity: readonly string[];
  readonly content: readonly string[];
  readonly derived: NeighbourColumn | undefined;
  readonly subject: (shard: number) => string;
  readonly countAs: "stored" | "rejected";
  /** Tables made from it. */
  readonly aggregates: readonly TableDefinition[];
}

/**
 * What of a dataset one writer does at a time: raw together with its dead letters, each other table of records, the
 * rollups. Each has its tables for itself, so writers that share a dataset do not meet at one.
 */
export function unitsOf(dataset: Dataset): readonly string[] {
  const tables = new Set(keyedTables(dataset).map(({ unit }) => unit));
  return [...tables, ...(dataset.rollups.length > 0 ? [rollupsUnit] : [])];
}

/** Raw and dead letters, and the further tables of a lake that has several. */
export function keyedTables(dataset: Dataset): readonly KeyedTableDefinition[] {
  const { name, raw, errors, rollups } = dataset;
  const ofRecords = recordTablesOf(dataset).map(({ definition, content, derived }): KeyedTableDefinition => {
    const isRaw = definition === raw;
    return {
      unit: isRaw ? recordsUnit : definition.name,
      part: isRaw ? "accepted" : definition.name,
      kind: "accepted",
      definition,
      identity: isRaw ? dataset.identity : definition.identity,
      content,
      derived,
      subject: (shard) => (isRaw ? acceptedSubject(name, shard) : acceptedTableSubject(name, definition.name, shard)),
      countAs: "stored",
      aggregates: isRaw ? rollups.map((rollup) => rollup.table) : [],
    };
  });
  return [
    ...ofRecords,
    {
      unit: recordsUnit,
      part: "rejected",
      kind: "rejected",
      definition: errors,
      identity: errors.identity,
      content: [],
      derived: undefined,
      subject: (shard) => rejectedSubject(name, shard),
      countAs: "rejected",
      aggregates: [],
    },
  ];
}
