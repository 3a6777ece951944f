import type { Setting } from "@firn/service";

/** Where Kafka is and how to read it. Without KAFKA_BROKERS nothing of this is used. */
export const kafkaSettings = {
  kafkaBrokers: {
    env: "KAFKA_BROKERS",
    type: "string",
    help: "Kafka brokers to read from, HOST:PORT by comma; without it ingest takes HTTP only.",
    check: explainBrokers,
  },
  kafkaTopic: {
    env: "KAFKA_TOPIC",
    type: "string",
    default: "health-data-raw",
    help: "Topics by comma: TOPIC=DATASET, or a topic alone for the first dataset.",
    check: (text: string) => {
      const parsed = parseTopics(text);
      return typeof parsed === "string" ? parsed : undefined;
    },
  },
  kafkaGroupId: {
    env: "KAFKA_GROUP_ID",
    type: "string",
    default: "firn",
    help: "Consumer group; every ingest of a lake has the same.",
  },
  kafkaSessionTimeoutMs: {
    env: "KAFKA_SESSION_TIMEOUT_MS",
    type: "int",
    default: 10_000,
    min: 500,
    max: 300_000,
    help: "After this long without a sign of life of an ingest its partitions go to others.",
  },
  kafkaTls: { env: "KAFKA_TLS", type: "boolean", default: false, help: "Whether brokers are reached by TLS." },
  kafkaTlsCa: {
    env: "KAFKA_TLS_CA",
    type: "path",
    help: "File with the certificates (PEM) that brokers are trusted by; absent: those of Node.",
  },
  kafkaTlsCert: { env: "KAFKA_TLS_CERT", type: "path", help: "File with the client's own certificate (PEM)." },
  kafkaTlsKey: { env: "KAFKA_TLS_KEY", type: "path", help: "File with the key of the client's certificate (PEM)." },
  kafkaSaslMechanism: {
    env: "KAFKA_SASL_MECHANISM",
    type: "string",
    choices: ["plain", "scram-sha-256", "scram-sha-512"],
    help: "How ingest proves who it is; absent: it does not.",
  },
  kafkaSaslUsername: { env: "KAFKA_SASL_USERNAME", type: "string", help: "User for SASL." },
  kafkaSaslPassword: { env: "KAFKA_SASL_PASSWORD", type: "string", secret: true, help: "Password for SASL." },
  registryUrl: {
    env: "SCHEMA_REGISTRY_URL",
    type: "url",
    help: "Schema registry with Confluent's API, for Avro; without it Avro messages become dead letters.",
  },
  registryUsername: { env: "SCHEMA_REGISTRY_USERNAME", type: "string", help: "User at the schema registry." },
  registryPassword: {
    env: "SCHEMA_REGISTRY_PASSWORD",
    type: "string",
    secret: true,
    help: "Password at the schema registry.",
  },
} as const satisfies Record<string, Setting>;

/** A topic and the dataset that its payloads are of; undefined: the first of the lake. */
export interface TopicChoice {
  readonly topic: string;
  readonly dataset: string | undefined;
}

const TOPIC_LENGTH_MAX = 249;

/** The topics of `a=health,b`, or the rule that the text breaks. */
export function parseTopics(text: string): readonly TopicChoice[] | string {
  const choices: TopicChoice[] = [];
  for (const part of text.split(",")) {
    const [topic = "", dataset, ...rest] = part.trim().split("=");
    const isTopic = /^[A-Za-z0-9._-]+$/.test(topic) && topic.length <= TOPIC_LENGTH_MAX && !/^\.\.?$/.test(topic);
    if (!isTopic || rest.length > 0 || dataset === "") return "must be TOPIC or TOPIC=DATASET, several by comma";
    if (choices.some((choice) => choice.topic === topic)) return `names the topic ${topic} twice`;
    choices.push({ topic, dataset });
  }
  return choices;
}

function explainBrokers(text: string): string | undefined {
  const isAddress = (part: string) => /^(\[[0-9a-f:.]+\]|[^\s:/@]+):\d{1,5}$/i.test(part.trim());
  return text.split(",").every(isAddress) ? undefined : "must be HOST:PORT, several by comma";
}
