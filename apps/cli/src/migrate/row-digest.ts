import type { ColumnDefinition } from "@firn/core";

/**
 * A text of a row's content that PostgreSQL and DuckDB write alike, and the number that is summed up over rows: 48 bits
 * of its MD5. Doubles stand by their 64 bits, so that no rounding hides a difference; -0 equals 0.
 */
export interface DigestDialect {
  /** A column of the row by its name. */
  column(name: string): string;
  /** The bits of a double as a whole number. */
  doubleBits(value: string): string;
  /** Days since 1970-01-01. */
  days(value: string): string;
  /** A 48-bit number of the first 12 hexadecimal digits. */
  hexNumber(digits: string): string;
  /** A double of whatever number it is, with 0 for -0. */
  double(value: string): string;
}

function rowTextSql(columns: readonly ColumnDefinition[], dialect: DigestDialect): string {
  const parts = columns.map(({ name, type }) => {
    const value = dialect.column(name);
    switch (type) {
      case "double":
      case "float":
        return `coalesce(CAST(${dialect.doubleBits(dialect.double(value))} AS VARCHAR), '~')`;
      case "date":
        return `coalesce(CAST(${dialect.days(value)} AS VARCHAR), '~')`;
      case "int":
      case "long":
        return `coalesce(CAST(CAST(${value} AS BIGINT) AS VARCHAR), '~')`;
      default:
        return `coalesce('"' || CAST(${value} AS VARCHAR), '~')`;
    }
  });
  return parts.join(" || '|' || ");
}

export function rowDigestSql(columns: readonly ColumnDefinition[], dialect: DigestDialect): string {
  return dialect.hexNumber(`substr(md5(${rowTextSql(columns, dialect)}), 1, 12)`);
}

export const POSTGRES: DigestDialect = {
  column: (name) => `s."${name}"`,
  double: (value) => `(${value}::float8 + 0)`,
  doubleBits: (value) => `('x' || encode(float8send(${value}), 'hex'))::bit(64)::bigint`,
  days: (value) => `(${value}::date - DATE '1970-01-01')`,
  hexNumber: (digits) => `('x' || ${digits})::bit(48)::bigint`,
};

export const DUCKDB: DigestDialect = {
  column: (name) => `"${name}"`,
  double: (value) => `(CAST(${value} AS DOUBLE) + 0)`,
  doubleBits: (value) => `CAST(CAST(${value} AS BIT) AS BIGINT)`,
  days: (value) => `(${value} - DATE '1970-01-01')`,
  hexNumber: (digits) => `CAST('0x' || ${digits} AS BIGINT)`,
};
