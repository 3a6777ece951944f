import { readFileSync } from "node:fs";

import type { Logger } from "@firn/service";
import kafkajs, { type Kafka, type KafkaConfig, type SASLOptions } from "kafkajs";

import { registerCompressions } from "./compression.ts";

export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly tls: boolean;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly saslMechanism?: "plain" | "scram-sha-256" | "scram-sha-512" | undefined;
  readonly saslUsername?: string | undefined;
  readonly saslPassword?: string | undefined;
}

const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 2_000 };

/** A client; nothing is connected yet. Files of certificates are read anew each time: they are renewed. */
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
    ...tlsOf(connection),
    ...saslOf(connection),
  };
  return new kafkajs.Kafka(config);
}

function tlsOf({ tls, tlsCa, tlsCert, tlsKey }: KafkaConnection): Pick<KafkaConfig, "ssl"> {
  if (!tls) return {};
  return {
    ssl: {
      ...(tlsCa !== undefined && { ca: readFileSync(tlsCa) }),
      ...(tlsCert !== undefined && { cert: readFileSync(tlsCert) }),
      ...(tlsKey !== undefined && { key: readFileSync(tlsKey) }),
    },
  };
}

function saslOf({ saslMechanism, saslUsername, saslPassword }: KafkaConnection): { sasl?: SASLOptions } {
  if (saslMechanism === undefined) return {};
  return {
    sasl: { mechanism: saslMechanism, username: saslUsername ?? "", password: saslPassword ?? "" } as SASLOptions,
  };
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
