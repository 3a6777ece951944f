import { LakeError } from "../lake-error.ts";
import { decimalType } from "../manifest/primitive-type.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { Transform } from "../transform/transform.ts";

const microsPerHour = 3_600_000_000;

/**
 * The value of a partition transform as SQL over a column (Iceberg specification, "Partition Transforms"), in the
 * domain that `Literal` describes: DuckDB's result read back through the kernel is the partition value itself.
 *
 * `bucket` has no SQL form, because DuckDB has no murmur3: see bucket-table.ts.
 * @param columnSql the column, already of `duckType(type)`
 */
export function partitionExpression(transform: Transform, type: PrimitiveType, columnSql: string): string {
  switch (transform.kind) {
    case "identity":
      return decimalType(type) === undefined ? columnSql : unscaled(type, columnSql);
    case "truncate":
      return truncateExpression(transform.width, type, columnSql);
    case "year":
      return `(year(${dateExpression(type, columnSql)}) - 1970)::INTEGER`;
    case "month": {
      const date = dateExpression(type, columnSql);
      return `((year(${date}) - 1970) * 12 + month(${date}) - 1)::INTEGER`;
    }
    case "day":
      return `(${dateExpression(type, columnSql)} - DATE '1970-01-01')::INTEGER`;
    case "hour":
      return `${flooredQuotient(`epoch_us(${columnSql})`, microsPerHour)}::INTEGER`;
    case "void":
      return "NULL::INTEGER";
    case "bucket":
    case "unknown":
      throw new LakeError("unsupported", `no SQL for partition transform ${transform.kind}`, { context: { type } });
  }
}

/** The UTC date. By way of a naive timestamp: casting TIMESTAMPTZ to DATE asks the time-zone library for every row. */
function dateExpression(type: PrimitiveType, columnSql: string): string {
  return type === "date" ? columnSql : `make_timestamp(epoch_us(${columnSql}))::DATE`;
}

function truncateExpression(width: number, type: PrimitiveType, columnSql: string): string {
  if (type === "string") return `left(${columnSql}, ${width})`;
  if (type === "binary") return `array_slice(${columnSql}, 1, ${width})`;
  const value = decimalType(type) === undefined ? columnSql : unscaled(type, columnSql);
  // Towards minus infinity: v - (((v % W) + W) % W), as the specification has it.
  return `(${value} - (((${value} % ${width}) + ${width}) % ${width}))`;
}

/** By way of the text, which has every digit of the scale: multiplying would overflow wide decimals. */
function unscaled(type: PrimitiveType, columnSql: string): string {
  const integer = decimalType(type)!.precision <= 18 ? "BIGINT" : "HUGEINT";
  return `replace((${columnSql})::VARCHAR, '.', '')::${integer}`;
}

/** Integer division towards minus infinity; DuckDB's own is towards zero. */
function flooredQuotient(valueSql: string, divisor: number): string {
  return `(${valueSql} // ${divisor} - (${valueSql} % ${divisor} < 0)::INTEGER)`;
}
