import { defineSettings } from "@firn/service";

export const aggregatorSettings = defineSettings({
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
  defaultTimezone: {
    env: "FIRN_DEFAULT_TIMEZONE",
    type: "string",
    default: "UTC",
    help: "Zone of samples that name none; the validator must have the same.",
  },
  memoryBytes: {
    env: "FIRN_KERNEL_MEMORY",
    type: "bytes",
    default: 224 * 1024 ** 2,
    min: 64 * 1024 ** 2,
    help: "Memory of the columnar kernel; what does not fit is spilled to the data directory.",
  },
});

export type AggregatorSettings = ReturnType<(typeof aggregatorSettings)["parse"]>;
