import type { TableDefinition } from "@firn/core";
import { errorsTable, optional, partitionField, required } from "@firn/datasets";

const PROPERTIES = { "format-version": "2", "write.parquet.compression-codec": "zstd" } as const;

export function tideTables(namespace: string) {
  const raw: TableDefinition = {
    namespace,
    name: "tide_readings",
    columns: [
      required("gauge", "string", "where it was measured"),
      required("at", "timestamptz", "when it was measured"),
      required("height_cm", "long", "height above datum"),
      required("water_temperature", "double", "in °C"),
      optional("local_date", "date", "date of the reading"),
    ],
    identity: ["gauge", "at"],
    partition: [partitionField("at", "month", "at_month"), partitionField("gauge", "bucket[4]", "gauge_bucket")],
    sort: ["gauge", "at"],
    properties: PROPERTIES,
  };
  const statistics = [
    required("highest_cm", "long"),
    required("lowest_cm", "long"),
    required("mean_temperature", "double"),
    required("readings", "long"),
  ];
  const daily: TableDefinition = {
    namespace,
    name: "tide_days",
    columns: [required("gauge", "string"), required("day", "date"), ...statistics, required("total_height_cm", "long")],
    identity: ["gauge", "day"],
    partition: [partitionField("day", "year", "day_year")],
    sort: ["gauge", "day"],
    properties: PROPERTIES,
  };
  const monthly: TableDefinition = {
    namespace,
    name: "tide_months",
    columns: [
      required("gauge", "string"),
      required("month_start", "string"),
      required("month", "long"),
      required("window_start", "timestamptz"),
      required("window_end", "timestamptz"),
      ...statistics,
    ],
    identity: ["gauge", "month_start"],
    partition: [],
    sort: ["gauge", "month_start"],
    properties: PROPERTIES,
  };
  return { raw, errors: errorsTable(namespace, "tide_errors", PROPERTIES), daily, monthly };
}
