import { duckdb as dialect, sqlType, valuesOf } from "../sql.mjs";

export const duckdb = {
  name: "DuckDB",
  engine: "duckdb",
  async create({ sql }, table, { columns, partition = [] }) {
    const list = columns.map(({ name, type }) => `${dialect.name(name)} ${sqlType(dialect, type)}`).join(", ");
    const by = partition.length > 0 ? ` PARTITIONED BY (${partition.map(transformSql).join(", ")})` : "";
    await sql(`CREATE TABLE lake.${table} (${list})${by}`);
  },
  append: ({ sql }, table, columns, rows) =>
    sql(`INSERT INTO lake.${table} VALUES ${valuesOf(dialect, columns, rows)}`),
  delete: ({ sql }, table, ids) => sql(`DELETE FROM lake.${table} WHERE id IN (${ids.join(", ")})`),
  async evolve({ sql }, table, changes) {
    for (const change of changes) await sql(`ALTER TABLE lake.${table} ${changeSql(change)}`);
  },
  repartition: ({ sql }, table, before, after) =>
    sql(`ALTER TABLE lake.${table} SET PARTITIONED BY (${after.map(transformSql).join(", ")})`),
};

function changeSql(change) {
  if (change.widen) return `ALTER COLUMN ${dialect.name(change.widen)} SET DATA TYPE ${sqlType(dialect, change.to)}`;
  if (change.rename) return `RENAME COLUMN ${dialect.name(change.rename)} TO ${dialect.name(change.to)}`;
  if (change.drop) return `DROP COLUMN ${dialect.name(change.drop)}`;
  return `ADD COLUMN ${dialect.name(change.add)} ${sqlType(dialect, change.type)}`;
}

function transformSql({ source, transform }) {
  const name = dialect.name(source);
  const [, kind, parameter] = /^(\w+)(?:\[(\d+)\])?$/.exec(transform);
  if (kind === "identity") return name;
  return parameter === undefined ? `${kind}(${name})` : `${kind}(${parameter}, ${name})`;
}
