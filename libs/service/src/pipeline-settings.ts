import { explainZone } from "@firn/core";
import type { Setting } from "./settings.ts";

/** Variables that mean the same to several services of a lake: each service takes the ones that it needs. */
export const pipelineSettings = {
  natsUrl: { env: "NATS_URL", type: "url", required: true, help: "Broker, nats-server 2.15.0 or later." },
  shards: {
    env: "FIRN_SHARDS",
    type: "int",
    default: 4,
    min: 1,
    max: 256,
    help: "Shards of the lake, fixed when it is made; another number is refused.",
  },
  streamReplicas: {
    env: "FIRN_STREAM_REPLICAS",
    type: "int",
    default: 1,
    min: 1,
    max: 5,
    help: "Copies of the streams in the broker's cluster; only used when they are made.",
  },
  defaultZone: {
    env: "FIRN_DEFAULT_TIMEZONE",
    type: "string",
    default: "UTC",
    check: explainZone,
    help: "Zone of samples that name none; the same for every service of a lake.",
  },
  memoryBytes: {
    env: "FIRN_KERNEL_MEMORY",
    type: "bytes",
    default: 224 * 1024 ** 2,
    min: 64 * 1024 ** 2,
    help: "Memory of the columnar kernel; what does not fit is spilled to the data directory.",
  },
} as const satisfies Record<string, Setting>;
