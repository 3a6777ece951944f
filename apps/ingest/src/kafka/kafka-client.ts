import { kafkaSecurity, type KafkaAccess, type Logger } from "@firn/service";
import kafkajs, { type Kafka, type KafkaConfig } from "kafkajs";

import { registerCompressions } from "./compression.ts";

export interface KafkaConnection extends KafkaAccess {
  readonly brokers: readonly string[];
}

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 };

/** A client; nothing is connected yet. */
export function kafkaClient(connection: KafkaConnection, logger: Logger): Kafka {
  registerCompressions();
  const config: KafkaConfig = {
    clientId: "firn-ingest",
    brokers: [...connection.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    authenticationTimeout: REQUEST_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => logTo(logger),
    ...kafkaSecurity(connection),
  };
  return new kafkajs.Kafka(config);
}

/** What the client says is for whoever looks closely: what a person must know is said by its caller. */
function logTo(logger: Logger): ReturnType<NonNullable<KafkaConfig["logCreator"]>> {
  return ({ namespace, level, log }) => {
    const { message, error } = log as { message: string; error?: unknown };
    const fields = { from: namespace, what: message, ...(typeof error === "string" && { why: error }) };
    if (level === kafkajs.logLevel.ERROR) logger.warn("kafka client failed", fields);
    else logger.debug("kafka client", fields);
  };
}

/** An error of the client or of Kafka itself, which another try may get over. */
export function isKafkaError(error: unknown): error is Error {
  return error instanceof kafkajs.KafkaJSError;
}
