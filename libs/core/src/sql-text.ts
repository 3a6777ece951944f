/** SQL text for DuckDB, for the statements of questions. Nothing that comes from outside reaches one any other way. */

/** A quoted identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names as a SELECT or an ORDER BY lists them. */
export function selectList(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => sqlName(column.name)).join(", ");
}

/** `"day" ASC, "user_id" ASC`: what stands behind ORDER BY. */
export function orderBy(columns: readonly { readonly name: string; readonly direction: "asc" | "desc" }[]): string {
  return columns.map(({ name, direction }) => `${sqlName(name)} ${direction === "asc" ? "ASC" : "DESC"}`).join(", ");
}
