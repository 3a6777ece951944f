import { declareDataset, namespaceSetting, tableNameSetting } from "../dataset-declaration.ts";
import { createHealthDataset } from "./dataset.ts";
import { HEALTH_QUESTIONS } from "./questions/definitions.ts";

/** The health lake, and what a site may choose of it. */
export const healthDeclaration = declareDataset({
  questions: HEALTH_QUESTIONS,
  settings: {
    healthNamespace: namespaceSetting("ICEBERG_DATABASE", "health_db", "Namespace of the health tables"),
    healthRawTable: tableNameSetting("ICEBERG_TABLE_RAW", "health_data_raw", "Name of the health lake's raw table."),
    healthErrorsTable: tableNameSetting(
      "ICEBERG_TABLE_ERRORS",
      "health_data_errors",
      "Name of the health lake's table of dead letters.",
    ),
    healthAggregateBuckets: {
      env: "FIRN_AGG_BUCKETS",
      type: "int",
      default: 8,
      min: 1,
      max: 4096,
      help: "Buckets of users in the partitioning of new aggregate tables.",
    },
    healthAggregatePartitioning: {
      env: "FIRN_AGG_PARTITIONING",
      type: "string",
      default: "bucket",
      choices: ["bucket", "reference"],
      help: "Partitioning of new aggregate tables: bucket, or the reference's identity partitions (one file a row).",
    },
  },
  create: (values) =>
    createHealthDataset({
      namespace: values.healthNamespace,
      rawTable: values.healthRawTable,
      errorsTable: values.healthErrorsTable,
      aggregates:
        values.healthAggregatePartitioning === "reference"
          ? { kind: "reference" }
          : { kind: "bucket", buckets: values.healthAggregateBuckets },
    }),
});
