import { defineSettings } from "@firn/service";

export const writerSettings = defineSettings({
  natsUrl: { env: "NATS_URL", type: "url", required: true, help: "Broker, nats-server 2.15.0 or later." },
  catalogUri: {
    env: "ICEBERG_CATALOG_URI",
    type: "url",
    required: true,
    help: "Iceberg REST catalog that holds the tables.",
  },
  warehouse: {
    env: "ICEBERG_WAREHOUSE",
    type: "string",
    default: ".firn/warehouse",
    help: "Folder or file:// location that the tables lie under.",
  },
  shards: {
    env: "FIRN_SHARDS",
    type: "int",
    default: 4,
    min: 1,
    max: 256,
    help: "Shards of the lake, fixed when it is made; another number is refused.",
  },
  aggregateBuckets: {
    env: "FIRN_AGG_BUCKETS",
    type: "int",
    default: 8,
    min: 1,
    max: 4096,
    help: "Buckets of users in the partitioning of new aggregate tables.",
  },
  aggregatePartitioning: {
    env: "FIRN_AGG_PARTITIONING",
    type: "string",
    default: "bucket",
    choices: ["bucket", "reference"],
    help: "Partitioning of new aggregate tables: bucket, or the reference's identity partitions (one file a row).",
  },
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
    default: 96 * 1024 ** 2,
    min: 1024 ** 2,
    help: "Bytes of messages in one commit.",
  },
  memoryBytes: {
    env: "FIRN_KERNEL_MEMORY",
    type: "bytes",
    default: 224 * 1024 ** 2,
    min: 64 * 1024 ** 2,
    help: "Memory of the columnar kernel; what does not fit is spilled to the data directory.",
  },
  maintenanceIntervalMs: {
    env: "FIRN_MAINTENANCE_INTERVAL_MS",
    type: "int",
    default: 2_000,
    min: 100,
    max: 86_400_000,
    help: "How often tables are looked at for small files to merge and snapshots to expire.",
  },
});

export type WriterSettings = ReturnType<(typeof writerSettings)["parse"]>;
