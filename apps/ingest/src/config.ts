import { defineSettings } from "@firn/service";

export const ingestSettings = defineSettings({
  natsUrl: { env: "NATS_URL", type: "url", required: true, help: "Broker, nats-server 2.15.0 or later." },
  shards: {
    env: "FIRN_SHARDS",
    type: "int",
    default: 4,
    min: 1,
    max: 256,
    help: "Shards of the lake, fixed when it is made; another number is refused.",
  },
  intakeBytesMax: {
    env: "FIRN_INTAKE_BYTES",
    type: "bytes",
    min: 1024 ** 2,
    help: "Limit of the intake stream, at which requests get 503; without it the broker's own limit holds.",
  },
  intakeReplicas: {
    env: "FIRN_STREAM_REPLICAS",
    type: "int",
    default: 1,
    min: 1,
    max: 5,
    help: "Copies of the intake stream in the broker's cluster; only used when the stream is made.",
  },
  heldBytesMax: {
    env: "FIRN_INGEST_HELD_BYTES",
    type: "bytes",
    default: 64 * 1024 ** 2,
    min: 8 * 1024 ** 2,
    help: "Bytes of request bodies held in memory at once; a request beyond it gets 503.",
  },
});
