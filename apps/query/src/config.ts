import { defineSettings } from "@firn/service";

export const querySettings = defineSettings({
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
  concurrency: {
    env: "FIRN_QUERY_CONCURRENCY",
    type: "int",
    default: 2,
    min: 1,
    max: 64,
    help: "Questions that read files at the same time, one thread each.",
  },
  waitingMax: {
    env: "FIRN_QUERY_WAITING",
    type: "int",
    default: 64,
    min: 0,
    max: 10_000,
    help: "Questions that may wait for their turn; one more gets 503.",
  },
  timeoutMs: {
    env: "FIRN_QUERY_TIMEOUT_MS",
    type: "int",
    default: 30_000,
    min: 100,
    max: 600_000,
    help: "Milliseconds that one question may take, waiting included.",
  },
  memoryBytes: {
    env: "FIRN_KERNEL_MEMORY",
    type: "bytes",
    default: 256 * 1024 ** 2,
    min: 64 * 1024 ** 2,
    help: "Memory of the columnar kernel; what does not fit is spilled to the data directory.",
  },
  cacheValuesMax: {
    env: "FIRN_QUERY_CACHE_VALUES",
    type: "int",
    default: 500_000,
    min: 0,
    max: 100_000_000,
    help: "Values (rows times columns) of answers that are kept for the same question on the same snapshot; 0: none.",
  },
});

export type QuerySettings = ReturnType<(typeof querySettings)["parse"]>;
