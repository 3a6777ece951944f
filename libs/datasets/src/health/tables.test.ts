import { describe, expect, it } from "vitest";

import { createDatasets, datasets, datasetSettings } from "../registry.ts";
import { createHealthDataset } from "./dataset.ts";
import { healthTables } from "./tables.ts";

/** `name type` with `?` for optional columns, as a table of columns lists them. */
function columnsOf(table: { columns: readonly { name: string; type: string; required: boolean }[] }): string[] {
  return table.columns.map(({ name, type, required }) => `${name} ${type}${required ? "" : "?"}`);
}

const WINDOW = [
  "window_start timestamptz",
  "window_end timestamptz",
  "min_value double",
  "max_value double",
  "avg_value double",
  "sum_value double",
  "count long",
  "stddev_value double",
];

describe("the tables of the health lake", () => {
  const tables = healthTables();

  it("raw has the documented columns in order", () => {
    expect(columnsOf(tables.raw)).toEqual([
      "device_id string",
      "user_id string",
      "sample_id string",
      "data_type string",
      "value double",
      "unit string",
      "start_date timestamptz",
      "end_date timestamptz",
      "source_bundle string?",
      "metadata map<string,string>?",
      "is_synced boolean",
      "created_at timestamptz",
      "payload_timestamp timestamptz",
      "app_version string",
      "processing_time timestamptz",
      "timezone string?",
      "timezone_offset int?",
      "local_date date?",
    ]);
  });

  it("errors has the documented columns in order", () => {
    expect(columnsOf(tables.errors)).toEqual([
      "error_id string",
      "error_type string",
      "error_message string",
      "error_timestamp timestamptz",
      "raw_payload string?",
      "user_id string?",
      "device_id string?",
      "sample_id string?",
      "data_type string?",
      "kafka_topic string",
      "kafka_partition long",
      "kafka_offset long",
    ]);
  });

  it("the aggregates have the documented columns in order", () => {
    const dimensions = ["user_id string", "data_type string"];
    const tail = ["record_count long", "updated_at timestamptz", "timezone string?"];
    const overDays = ["day_count long?", "daily_avg_of_sum double?"];
    expect(columnsOf(tables.daily)).toEqual([
      ...dimensions,
      "aggregation_date string",
      ...WINDOW,
      "first_value double?",
      "last_value double?",
      ...tail,
    ]);
    expect(columnsOf(tables.weekly)).toEqual([
      ...dimensions,
      "week_start_date string",
      "week_end_date string",
      "year long",
      "week_of_year long",
      ...WINDOW,
      "daily_avg_of_avg double?",
      ...tail,
      ...overDays,
    ]);
    expect(columnsOf(tables.monthly)).toEqual([
      ...dimensions,
      "year long",
      "month long",
      "month_start_date string",
      "month_end_date string",
      ...WINDOW,
      "daily_avg_of_avg double?",
      ...tail,
      ...overDays,
    ]);
  });

  it("are partitioned as documented, by bucket or as the reference asks", () => {
    const partitioning = (table: { partition: readonly { source: string; transform: string }[] }): string[] =>
      table.partition.map(({ source, transform }) => `${transform}(${source})`);
    expect(partitioning(tables.raw)).toEqual(["day(start_date)", "identity(data_type)"]);
    expect(partitioning(tables.errors)).toEqual(["day(error_timestamp)", "identity(error_type)"]);
    expect(partitioning(tables.daily)).toEqual(["bucket[8](user_id)", "truncate[7](aggregation_date)"]);
    expect(partitioning(tables.weekly)).toEqual(["bucket[8](user_id)", "truncate[4](week_start_date)"]);
    expect(partitioning(tables.monthly)).toEqual(["bucket[8](user_id)", "truncate[4](month_start_date)"]);
    const literal = healthTables({ aggregates: { kind: "reference" } });
    const names = (table: { partition: readonly { source: string }[] }): string[] =>
      table.partition.map((f) => f.source);
    expect(names(literal.daily)).toEqual(["user_id", "aggregation_date", "data_type"]);
    expect(names(literal.weekly)).toEqual(["user_id", "year", "week_of_year", "data_type"]);
    expect(names(literal.monthly)).toEqual(["user_id", "year", "month", "data_type"]);
    const wide = healthTables({ aggregates: { kind: "bucket", buckets: 64, dailyWidth: 4 } });
    expect(partitioning(wide.daily)).toEqual(["bucket[64](user_id)", "truncate[4](aggregation_date)"]);
  });

  it("refer only to columns that they have, and name rows by required ones", () => {
    const dataset = createHealthDataset();
    for (const table of [dataset.raw, dataset.errors, ...dataset.rollups.map((rollup) => rollup.table)]) {
      const byName = new Map(table.columns.map((column) => [column.name, column]));
      expect(byName.size).toBe(table.columns.length);
      for (const name of [...table.sort, ...table.partition.map((field) => field.source)])
        expect(byName.has(name)).toBe(true);
      for (const name of table.identity) expect(byName.get(name)?.required).toBe(true);
      expect(new Set(table.partition.map((field) => field.name)).size).toBe(table.partition.length);
      expect(table.properties).toMatchObject({
        "write.format.default": "parquet",
        "write.parquet.compression-codec": "snappy",
        "write.target-file-size-bytes": "268435456",
        "write.parquet.row-group-size-bytes": "134217728",
        "write.parquet.page-size-bytes": "1048576",
        "write.metadata.compression-codec": "gzip",
      });
      expect(table.properties).not.toHaveProperty("write.upsert.enabled");
    }
    const groupRows = (table: { properties: Readonly<Record<string, string>> }) =>
      table.properties["firn.parquet.row-group-rows"];
    expect(dataset.rollups.map((rollup) => groupRows(rollup.table))).toEqual(["16384", "16384", "16384"]);
    expect(groupRows(dataset.raw)).toBeUndefined();
  });

  it("have each column of a rollup declared as dimension, period or measure", () => {
    for (const { table, dimensions, periodColumns, measures } of createHealthDataset().rollups) {
      const declared = [...dimensions, ...Object.values(periodColumns), ...measures.map((measure) => measure.column)];
      expect(declared.sort()).toEqual(table.columns.map((column) => column.name).sort());
    }
  });

  it("take the names of a site", () => {
    const dataset = createHealthDataset({ namespace: "site", rawTable: "raw", errorsTable: "dead" });
    expect([dataset.namespace, dataset.raw.name, dataset.errors.name]).toEqual(["site", "raw", "dead"]);
    expect(dataset.rollups.map((rollup) => rollup.table.namespace)).toEqual(["site", "site", "site"]);
    expect(datasets.get("health")?.raw.name).toBe("health_data_raw");
  });

  it("take the names of the settings, whose defaults are those without settings", () => {
    const { raw, errors, daily, weekly, monthly } = healthTables();
    const usual = createDatasets().get("health")!;
    expect([usual.raw, usual.errors, ...usual.rollups.map(({ table }) => table)]).toEqual([
      raw,
      errors,
      daily,
      weekly,
      monthly,
    ]);
    const chosen = createDatasets({ healthErrorsTable: "dead", healthAggregateBuckets: 3 }).get("health")!;
    expect(chosen.errors.name).toBe("dead");
    expect(chosen.rollups[0]?.table.partition[0]?.transform).toBe("bucket[3]");
    const reference = createDatasets({ healthAggregatePartitioning: "reference" }).get("health")!;
    expect(reference.rollups[0]?.table.partition.map(({ transform }) => transform)).toContain("identity");
  });

  it("refuse names that are none, and one name for two tables", () => {
    const { healthNamespace, healthRawTable } = datasetSettings;
    expect(["a", "a.b", "health_db"].map(healthNamespace.check)).toEqual([undefined, undefined, undefined]);
    for (const name of ["", ".", "a.", "a b", "*"]) expect(healthNamespace.check(name)).toContain("must be names");
    for (const name of ["", "a.b", "-a", "a'b"]) expect(healthRawTable.check(name)).toContain("must be a name");
    expect(() => createHealthDataset({ rawTable: "same", errorsTable: "same" })).toThrow("same stands for two tables");
  });
});
