import { once } from "node:events";

import { KAFKA_SOURCES_KEY, type Dataset } from "@firn/core";
import { ConfigError, type Logger, type Metrics, type Stage } from "@firn/service";
import { isStreamError, STATE_BUCKET } from "@firn/stream";

import type { IngestSettings } from "../config.ts";
import type { IngestMetrics } from "../ingest-metrics.ts";
import type { Intake } from "../intake.ts";
import { KafkaIntake } from "./kafka-intake.ts";
import { createKafkaMetrics } from "./kafka-metrics.ts";
import { parseTopics } from "./kafka-settings.ts";
import { ConfluentRegistry } from "./schema-registry.ts";

export interface KafkaStageParts {
  readonly settings: IngestSettings;
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly intake: Intake;
  readonly metrics: Metrics;
  readonly ingestMetrics: IngestMetrics;
  readonly logger: Logger;
}

/** Reads Kafka where KAFKA_BROKERS says so. @throws ConfigError for settings that do not go together */
export function kafkaStage({ settings, datasets, intake, metrics, ingestMetrics, logger }: KafkaStageParts): Stage {
  const { kafkaBrokers, registryUrl } = settings;
  if (kafkaBrokers === undefined) return new NoKafka(intake, logger);
  if (settings.kafkaSaslMechanism !== undefined && settings.kafkaSaslUsername === undefined) {
    throw new ConfigError([{ env: "KAFKA_SASL_USERNAME", rule: "is required where KAFKA_SASL_MECHANISM is set" }]);
  }
  return new KafkaIntake({
    connection: { ...settings, brokers: kafkaBrokers.split(",").map((broker) => broker.trim()) },
    groupId: settings.kafkaGroupId,
    sessionTimeoutMs: settings.kafkaSessionTimeoutMs,
    topics: topicMap(settings.kafkaTopic, datasets),
    shards: settings.shards,
    registry: registryUrl === undefined ? undefined : registryOf(registryUrl, settings),
    intake,
    metrics: createKafkaMetrics(metrics, ingestMetrics),
    logger,
  });
}

function registryOf(url: string, { registryUsername, registryPassword }: IngestSettings): ConfluentRegistry {
  return new ConfluentRegistry({ url, username: registryUsername, password: registryPassword });
}

function topicMap(text: string, datasets: ReadonlyMap<string, Dataset>): ReadonlyMap<string, Dataset> {
  const choices = parseTopics(text);
  const first = [...datasets.values()][0];
  if (typeof choices === "string" || first === undefined)
    throw new ConfigError([{ env: "KAFKA_TOPIC", rule: String(choices) }]);
  return new Map(
    choices.map(({ topic, dataset }) => {
      const found = dataset === undefined ? first : datasets.get(dataset);
      if (found !== undefined) return [topic, found] as const;
      const rule = `names no dataset with ${topic}: there are ${[...datasets.keys()].join(", ")}`;
      throw new ConfigError([{ env: "KAFKA_TOPIC", rule }]);
    }),
  );
}

/** A lake that reads no Kafka (any more): nobody shall wait for what it still holds. */
class NoKafka implements Stage {
  readonly #intake: Intake;
  readonly #logger: Logger;

  constructor(intake: Intake, logger: Logger) {
    this.#intake = intake;
    this.#logger = logger;
  }

  async run(signal: AbortSignal): Promise<void> {
    const open = await this.#intake.untilOpen(signal);
    try {
      const attempts = await open?.connection.attempts(STATE_BUCKET);
      if ((await attempts?.get(KAFKA_SOURCES_KEY)) !== undefined) await attempts?.delete(KAFKA_SOURCES_KEY);
    } catch (error) {
      if (!isStreamError(error)) throw error;
      this.#logger.warn("cannot note that no kafka is read", { error });
    }
    if (!signal.aborted) await once(signal, "abort");
  }
}
