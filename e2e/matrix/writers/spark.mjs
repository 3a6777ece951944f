import { spark as dialect, sqlType, valuesOf } from "../sql.mjs";

/** Spark writes with merge-on-read: deleted rows go by position delete files. */
const PROPERTIES = "'format-version'='2', 'write.delete.mode'='merge-on-read', 'write.format.default'='parquet'";

export const spark = {
  name: "Spark",
  engine: "spark",
  async create({ sql }, table, { columns, partition = [] }) {
    const list = columns.map(({ name, type }) => `${dialect.name(name)} ${sqlType(dialect, type)}`).join(", ");
    const by = partition.length > 0 ? ` PARTITIONED BY (${partition.map(transformSql).join(", ")})` : "";
    await sql(`CREATE TABLE lake.${table} (${list}) USING iceberg${by} TBLPROPERTIES (${PROPERTIES})`);
  },
  append: ({ sql }, table, columns, rows) =>
    sql(`INSERT INTO lake.${table} VALUES ${valuesOf(dialect, columns, rows)}`),
  delete: ({ sql }, table, ids) => sql(`DELETE FROM lake.${table} WHERE id IN (${ids.join(", ")})`),
  async evolve({ sql }, table, changes) {
    for (const change of changes) await sql(`ALTER TABLE lake.${table} ${changeSql(change)}`);
  },
  async repartition({ sql }, table, before, after) {
    for (const field of before) await sql(`ALTER TABLE lake.${table} DROP PARTITION FIELD ${transformSql(field)}`);
    for (const field of after) await sql(`ALTER TABLE lake.${table} ADD PARTITION FIELD ${transformSql(field)}`);
  },
};

function changeSql(change) {
  if (change.widen) return `ALTER COLUMN ${dialect.name(change.widen)} TYPE ${sqlType(dialect, change.to)}`;
  if (change.rename) return `RENAME COLUMN ${dialect.name(change.rename)} TO ${dialect.name(change.to)}`;
  if (change.drop) return `DROP COLUMN ${dialect.name(change.drop)}`;
  return `ADD COLUMN ${dialect.name(change.add)} ${sqlType(dialect, change.type)}`;
}

function transformSql({ source, transform }) {
  const name = dialect.name(source);
  const [, kind, parameter] = /^(\w+)(?:\[(\d+)\])?$/.exec(transform);
  if (kind === "identity") return name;
  return parameter === undefined ? `${kind}s(${name})` : `${kind}(${parameter}, ${name})`;
}
