import { readFileSync } from "node:fs";

import type { Setting } from "./settings.ts";

/** How Kafka and its schema registry are reached: the same for ingest, which reads, and `firn produce`, which sends. */
export const kafkaAccessSettings = {
  kafkaBrokers: {
    env: "KAFKA_BROKERS",
    type: "string",
    help: "Kafka brokers, HOST:PORT by comma; without it no Kafka is read.",
    check: explainBrokers,
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

export interface KafkaAccess {
  readonly kafkaTls: boolean;
  readonly kafkaTlsCa: string | undefined;
  readonly kafkaTlsCert: string | undefined;
  readonly kafkaTlsKey: string | undefined;
  readonly kafkaSaslMechanism: "plain" | "scram-sha-256" | "scram-sha-512" | undefined;
  readonly kafkaSaslUsername: string | undefined;
  readonly kafkaSaslPassword: string | undefined;
}

/** TLS and SASL as Kafka's client takes them. Files of certificates are read anew each time: they are renewed. */
export function kafkaSecurity(access: KafkaAccess) {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = access;
  return {
    ...(access.kafkaTls && { ssl: certificates(access) }),
    ...(mechanism !== undefined && {
      sasl: { mechanism, username: username ?? "", password: password ?? "" } as never,
    }),
  };
}

function certificates({ kafkaTlsCa, kafkaTlsCert, kafkaTlsKey }: KafkaAccess) {
  return {
    ...(kafkaTlsCa !== undefined && { ca: readFileSync(kafkaTlsCa) }),
    ...(kafkaTlsCert !== undefined && { cert: readFileSync(kafkaTlsCert) }),
    ...(kafkaTlsKey !== undefined && { key: readFileSync(kafkaTlsKey) }),
  };
}

/** The rule that a list of brokers breaks. */
export function explainBrokers(text: string): string | undefined {
  const isAddress = (part: string) => /^(\[[0-9a-f:.]+\]|[^\s:/@]+):\d{1,5}$/i.test(part.trim());
  return text.split(",").every(isAddress) ? undefined : "must be HOST:PORT, several by comma";
}
