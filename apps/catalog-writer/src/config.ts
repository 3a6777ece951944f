import { datasetSettings } from "@firn/datasets";
import { defineSettings, lakeSettings, memberSettings, pipelineSettings } from "@firn/service";

export const writerSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  ...lakeSettings,
  ...datasetSettings,
  streamReplicas: pipelineSettings.streamReplicas,
  shards: pipelineSettings.shards,
  defaultZone: pipelineSettings.defaultZone,
  ...memberSettings,
  commitIntervalMinMs: {
    env: "FIRN_COMMIT_INTERVAL_MS",
    type: "int",
    default: 400,
    min: 20,
    max: 60_000,
    help: "Shortest time in milliseconds that rows gather before they are committed; a costly commit waits longer.",
  },
  commitIntervalMaxMs: {
    env: "FIRN_COMMIT_INTERVAL_MAX_MS",
    type: "int",
    default: 15_000,
    min: 100,
    max: 600_000,
    help: "Longest time in milliseconds that rows wait for a commit while more keep coming.",
  },
  batchBytesMax: {
    env: "FIRN_BATCH_BYTES",
    type: "bytes",
    default: 320 * 1024 ** 2,
    min: 1024 ** 2,
    help: "Bytes of messages in one commit.",
  },
  memoryBytes: { ...pipelineSettings.memoryBytes, default: 288 * 1024 ** 2 },
  maintenanceIntervalMs: {
    env: "FIRN_MAINTENANCE_INTERVAL_MS",
    type: "int",
    default: 2_000,
    min: 100,
    max: 86_400_000,
    help: "How often tables are looked at for small files to merge and snapshots to expire.",
  },
  orphanAgeMs: {
    env: "FIRN_ORPHAN_AGE_MS",
    type: "int",
    default: 3 * 86_400_000,
    min: 3_600_000,
    max: 366 * 86_400_000,
    help: "Age from which files in the tables' folders that nothing names are removed; longer than any commit takes.",
  },
});

export type WriterSettings = ReturnType<(typeof writerSettings)["parse"]>;
