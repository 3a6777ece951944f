import { icebergSchema, icebergSpec, partitionName } from "../iceberg-schema.mjs";

/** sessions/pyiceberg_session.py. */
export const pyiceberg = {
  name: "PyIceberg",
  engine: "pyiceberg",
  create: ({ ask }, table, { columns, partition }) =>
    ask({ kind: "create", table, schema: icebergSchema(columns), spec: icebergSpec(columns, partition) }),
  append: ({ ask }, table, columns, rows) => ask({ kind: "append", table, columns, rows: rows.map(plainRow) }),
  delete: ({ ask }, table, ids) => ask({ kind: "delete", table, ids }),
  evolve: ({ ask }, table, changes) => ask({ kind: "evolve", table, changes }),
  repartition: ({ ask }, table, before, after) =>
    ask({ kind: "repartition", table, drop: before.map(partitionName), add: after.map(named) }),
};

const named = (field) => ({ ...field, name: partitionName(field) });

/** JSON has no bigints. */
function plainRow(row) {
  return JSON.parse(JSON.stringify(row, (_, value) => (typeof value === "bigint" ? String(value) : value)));
}
