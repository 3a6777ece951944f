import type { Dataset, ValidatedRun, ValidationRun } from "@firn/core";

import { checkHealthEnvelope } from "./envelope.ts";
import { healthRollups } from "./rollups.ts";
import { healthTables, type HealthTableOptions } from "./tables.ts";

/** The health lake: samples of phones and watches. */
export function createHealthDataset(options: HealthTableOptions = {}): Dataset {
  const tables = healthTables(options);
  return {
    name: "health",
    namespace: tables.raw.namespace,
    raw: tables.raw,
    errors: tables.errors,
    rollups: healthRollups(tables),
    identity: ["user_id", "sample_id"],
    content: ["data_type", "value", "unit", "start_date", "end_date", "source_bundle", "metadata"],
    eventTime: "start_date",
    eventOrder: ["start_date", "sample_id"],
    time: {
      localDate: "local_date",
      timezone: "timezone",
      timezoneOffset: "timezone_offset",
      zoneMap: "metadata",
      zoneKey: "HKTimeZone",
    },
    checkEnvelope: checkHealthEnvelope,
    beginRun: (): ValidationRun => emptyRun(),
  };
}

function emptyRun(): ValidationRun {
  const run: ValidatedRun = { rows: { rows: 0, columns: {} }, rejected: [], received: 0, warnings: new Map() };
  return { add: () => undefined, finish: () => run };
}
