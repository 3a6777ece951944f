import { kafkaAccessSettings, type Setting } from "@firn/service";

/** Where Kafka is and how to read it. Without KAFKA_BROKERS nothing of this is used. */
export const kafkaSettings = {
  ...kafkaAccessSettings,
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
