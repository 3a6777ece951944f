/**
 * SQL text for DuckDB from values of ours. Nothing that comes from outside reaches a statement any other way.
 */

/** A quoted identifier. */
export function sqlName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A quoted string literal. DuckDB has no escape but the doubled quote; a NUL cannot be written in SQL text, so it is
 * spliced in by chr(0).
 */
export function sqlString(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return quoted.includes("\0") ? `(${quoted.replaceAll("\0", "' || chr(0) || '")})` : quoted;
}

/** A list literal of strings, as table functions take file lists. */
export function sqlStringList(values: Iterable<string>): string {
  return `[${Array.from(values, sqlString).join(", ")}]`;
}

/** A BLOB literal. */
export function sqlBlob(bytes: Uint8Array): string {
  return `from_hex('${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}')`;
}

/** A DOUBLE literal, the non-finite ones and the negative zero included. */
export function sqlDouble(value: number): string {
  if (Number.isFinite(value)) return `${Object.is(value, -0) ? "-0.0" : value}::DOUBLE`;
  return `'${Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"}'::DOUBLE`;
}
