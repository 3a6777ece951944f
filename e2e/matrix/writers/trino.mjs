import { columnNames, sqlType, trino as dialect, valuesOf } from "../sql.mjs";

export const trino = {
  name: "Trino",
  engine: "trino",
  async create({ sql }, table, { columns, partition = [] }) {
    const list = columns.map(({ name, type }) => `${dialect.name(name)} ${sqlType(dialect, type)}`).join(", ");
    await sql(
      `CREATE TABLE lake.${table} (${list}) WITH (format_version = 2, partitioning = ${partitioning(partition)})`,
    );
  },
  append: ({ sql }, table, columns, rows) =>
    sql(`INSERT INTO lake.${table} (${columnNames(dialect, columns)}) VALUES ${valuesOf(dialect, columns, rows)}`),
  delete: ({ sql }, table, ids) => sql(`DELETE FROM lake.${table} WHERE id IN (${ids.join(", ")})`),
  async evolve({ sql }, table, changes) {
    for (const change of changes) await sql(`ALTER TABLE lake.${table} ${changeSql(change)}`);
  },
  repartition: ({ sql }, table, before, after) =>
    sql(`ALTER TABLE lake.${table} SET PROPERTIES partitioning = ${partitioning(after)}`),
};

function changeSql(change) {
  if (change.widen) return `ALTER COLUMN ${dialect.name(change.widen)} SET DATA TYPE ${sqlType(dialect, change.to)}`;
  if (change.rename) return `RENAME COLUMN ${dialect.name(change.rename)} TO ${dialect.name(change.to)}`;
  if (change.drop) return `DROP COLUMN ${dialect.name(change.drop)}`;
  return `ADD COLUMN ${dialect.name(change.add)} ${sqlType(dialect, change.type)}`;
}

function partitioning(fields) {
  return `ARRAY[${fields.map((field) => dialect.string(transformText(field))).join(", ")}]`;
}

function transformText({ source, transform }) {
  const [, kind, parameter] = /^(\w+)(?:\[(\d+)\])?$/.exec(transform);
  if (kind === "identity") return dialect.name(source);
  return parameter === undefined
    ? `${kind}(${dialect.name(source)})`
    : `${kind}(${dialect.name(source)}, ${parameter})`;
}
