import { kafkaSecurity, type KafkaAccess, type Logger } from "@firn/service";
import kafkajs, { type Kafka, type KafkaConfig } from "kafkajs";

import { registerCompressions } from "./compression.ts";

export interface KafkaConnection extends KafkaAccess {
  readonly brokers: readonly string[];
}

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 };

/** What Kafka answers to a fetch from a topic that it has not, as the client words it: nothing but its log says it. */
const NOT_HOSTED = "This server does not host this topic-partition";

/**
 * A client; nothing is connected yet.
 * @param topicAway called when a topic that is read is not there: if it comes again, the client goes on reading as if it
 *   were the same
 */
export function kafkaClient(connection: KafkaConnection, logger: Logger, topicAway: () => void): Kafka {
  registerCompressions();
  const config: KafkaConfig = {
    clientId: "firn-ingest",
    brokers: [...connection.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => logTo(logger, topicAway),
    ...kafkaSecurity(connection),
  };
  return new kafkajs.Kafka(config);
}

/** What the client says is for whoever looks closely: what a person must know is said by its caller. */
function logTo(logger: Logger, topicAway: () => void): ReturnType<NonNullable<KafkaConfig["logCreator"]>> {
  return ({ namespace, level, log }) => {
    const { message, error } = log as { message: string; error?: unknown };
    const fields = { from: namespace, what: message, ...(typeof error === "string" && { why: error }) };
    if (level === kafkajs.logLevel.ERROR) logger.warn("kafka client failed", fields);
    else logger.debug("kafka client", fields);
    if (error === NOT_HOSTED && message.startsWith("Response Fetch")) topicAway();
  };
}

/** An error of the client or of Kafka itself, which another try may get over. */
export function isKafkaError(error: unknown): error is Error {
  return error instanceof kafkajs.KafkaJSError;
}
