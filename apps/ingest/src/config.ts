import { defineSettings, guardSettings, pipelineSettings } from "@firn/service";
import { kafkaSettings } from "./kafka/kafka-settings.ts";

export const ingestSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  shards: pipelineSettings.shards,
  intakeBytesMax: {
    env: "FIRN_INTAKE_BYTES",
    type: "bytes",
    min: 1024 ** 2,
    help: "Limit of the intake stream, at which requests get 503; without it the broker's own limit holds.",
  },
  streamReplicas: pipelineSettings.streamReplicas,
  heldBytesMax: {
    env: "FIRN_INGEST_HELD_BYTES",
    type: "bytes",
    default: 64 * 1024 ** 2,
    min: 8 * 1024 ** 2,
    help: "Bytes of request bodies held in memory at once; a request beyond it gets 503.",
  },
  requestsPerSecond: {
    env: "FIRN_INGEST_REQUESTS_PER_SECOND",
    type: "int",
    min: 1,
    help: "Requests a second of one token (of all together where none are asked for); one beyond them gets 429.",
  },
  ...guardSettings,
  ...kafkaSettings,
});

export type IngestSettings = ReturnType<(typeof ingestSettings)["parse"]>;
