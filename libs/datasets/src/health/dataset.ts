import type { Dataset } from "@firn/core";

import { canonicalHealthType, healthUnit } from "./aliases.ts";
import { checkHealthEnvelope } from "./envelope.ts";
import { HealthRun } from "./health-run.ts";
import { HEALTH_PAYLOAD_AVRO } from "./payload-avro.ts";
import { ZONE_KEY } from "./read-sample.ts";
import { HEALTH_PAYLOAD_SCHEMA } from "./payload-schema.ts";
import { healthQuestions } from "./questions/planners.ts";
import { healthRollups } from "./rollups.ts";
import { healthTables, type HealthTableOptions } from "./tables.ts";

const DATASET = "health";

/** The health lake: samples of phones and watches. */
export function createHealthDataset(tableOptions: HealthTableOptions = {}): Dataset {
  const tables = healthTables(tableOptions);
  return {
    name: DATASET,
    namespace: tables.raw.namespace,
    payload: { records: "samples", countsRecords: true, schema: HEALTH_PAYLOAD_SCHEMA, avro: HEALTH_PAYLOAD_AVRO },
    raw: tables.raw,
    errors: tables.errors,
    rollups: healthRollups(tables),
    identity: ["user_id", "sample_id"],
    content: ["data_type", "value", "unit", "start_date", "end_date", "source_bundle", "metadata"],
    kinds: { column: "data_type", canonical: canonicalHealthType, unitOf: healthUnit },
    eventTime: "start_date",
    eventOrder: ["start_date", "sample_id"],
    time: {
      localDate: "local_date",
      zone: {
        measured: { map: "metadata", key: ZONE_KEY },
        name: "timezone",
        offsetMinutes: "timezone_offset",
      },
    },
    questions: healthQuestions,
    checkEnvelope: checkHealthEnvelope,
    beginRun: (options, processedAtUs) => new HealthRun(DATASET, tables.raw, options, processedAtUs),
  };
}
