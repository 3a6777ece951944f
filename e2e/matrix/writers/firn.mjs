import { icebergSchema, icebergSpec, partitionName } from "../iceberg-schema.mjs";
import { duckdb as dialect, selectRows } from "../sql.mjs";

/** @firn/lake, in sessions/firn-session.ts. Rows come to it as a SELECT, as its kernel takes them. */
export const firn = {
  name: "Firn",
  engine: "firn",
  create: ({ ask }, table, { columns, partition }) =>
    ask({ kind: "create", table, schema: icebergSchema(columns), spec: icebergSpec(columns, partition) }),
  append: ({ ask }, table, columns, rows) => ask({ kind: "append", table, select: selectRows(dialect, columns, rows) }),
  delete: ({ ask }, table, ids) => ask({ kind: "delete", table, ids }),
  evolve: ({ ask }, table, changes) => ask({ kind: "evolve", table, changes: changes.map(schemaChange) }),
  repartition: ({ ask }, table, before, after) =>
    ask({ kind: "repartition", table, fields: after.map((field) => ({ ...field, name: partitionName(field) })) }),
};

function schemaChange(change) {
  if (change.widen) return { kind: "widen", column: change.widen, type: change.to };
  if (change.rename) return { kind: "rename", column: change.rename, to: change.to };
  if (change.drop) return { kind: "drop", column: change.drop };
  return { kind: "add", name: change.add, type: change.type };
}
