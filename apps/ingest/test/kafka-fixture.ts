import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { kafkaPositionSubject, parkedKey, resumeKey, type ParkedState, type ResumeOrder } from "@firn/core";
import { MemoryLogs, STATE_BUCKET } from "@firn/stream";
import { waitFor, type MockKafka } from "@firn/testing";
import kafkajs, { type Message, type Producer } from "kafkajs";

import { startIngest, type IngestFixture } from "./ingest-fixture.ts";

export const SHARDS = 4;
const WAIT = { limitMs: 15_000, everyMs: 50 };

export interface Registry {
  readonly url: string;
  /** What it answers by id; others are unknown. Undefined: it answers nothing that can be used. */
  schemas: Readonly<Record<number, object>> | undefined;
  asked: number;
  close(): void;
}

/** Answers as Confluent's does, for the one question that ingest asks. */
export async function startRegistry(schemas: Registry["schemas"]): Promise<Registry> {
  const server: Server = createServer((request, response) => {
    registry.asked++;
    const id = Number(/^\/schemas\/ids\/(\d+)$/.exec(request.url ?? "")?.[1]);
    if (registry.schemas === undefined) return void response.writeHead(503).end("later");
    const schema = registry.schemas[id];
    const unknown = { error_code: 40403, message: "Schema not found" };
    response.writeHead(schema ? 200 : 404, { "content-type": "application/vnd.schemaregistry.v1+json" });
    response.end(JSON.stringify(schema ?? unknown));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const registry: Registry = { url: `http://127.0.0.1:${port}`, schemas, asked: 0, close: () => void server.close() };
  return registry;
}

let topics = 0;

/** A topic of its own on a mock broker, and a lake's broker in memory that ingests read it into. */
export class KafkaFixture {
  readonly topic = `health-${process.pid}-${++topics}`;
  readonly lake = new MemoryLogs();
  readonly #kafka: MockKafka;
  readonly #producer: Producer;
  readonly #running: IngestFixture[] = [];

  private constructor(kafka: MockKafka, producer: Producer) {
    this.#kafka = kafka;
    this.#producer = producer;
  }

  static async open(kafka: MockKafka): Promise<KafkaFixture> {
    const client = new kafkajs.Kafka({ brokers: [kafka.broker], logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    return new KafkaFixture(kafka, producer);
  }

  async send(messages: Message[], topic = this.topic): Promise<void> {
    await this.#producer.send({ topic, messages });
  }

  async ingest(env: Record<string, string> = {}): Promise<IngestFixture> {
    const fixture = await startIngest(
      {
        KAFKA_BROKERS: this.#kafka.broker,
        KAFKA_TOPIC: `${this.topic}=health`,
        KAFKA_GROUP_ID: `group-${this.topic}`,
        KAFKA_SESSION_TIMEOUT_MS: "6000",
        FIRN_SHARDS: String(SHARDS),
        FIRN_LOG_LEVEL: process.env["TEST_LOG_LEVEL"] ?? "silent",
        ...env,
      },
      this.lake,
    );
    this.#running.push(fixture);
    return fixture;
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map(({ service }) => service.close()));
    await this.#producer.disconnect();
  }

  /** What is in the log, as `partition/offset`, in stream order. */
  async stored(): Promise<Awaited<ReturnType<IngestFixture["stored"]>>> {
    const payloads = await this.#running[0]!.stored();
    return payloads.filter(({ origin }) => origin.kind === "kafka");
  }

  async waitForStored(count: number): Promise<Awaited<ReturnType<IngestFixture["stored"]>>> {
    return waitFor(
      async () => {
        const stored = await this.stored();
        if (stored.length < count) throw new Error(`${stored.length} of ${count} are stored`);
        return stored;
      },
      { ...WAIT, what: `${count} stored messages` },
    );
  }

  async waitForParked(what: string): Promise<ParkedState> {
    const attempts = await this.lake.attempts(STATE_BUCKET);
    const parked = await waitFor(() => attempts.get(parkedKey("ingest", what)), { ...WAIT, what: `parked ${what}` });
    return parked as unknown as ParkedState;
  }

  async waitForGoingOn(what: string): Promise<void> {
    const attempts = await this.lake.attempts(STATE_BUCKET);
    const gone = async () => (await attempts.get(parkedKey("ingest", what))) === undefined;
    await waitFor(gone, { ...WAIT, what: `${what} to go on` });
  }

  async order(what: string, order: ResumeOrder): Promise<void> {
    await (await this.lake.attempts(STATE_BUCKET)).put(resumeKey("ingest", what), order);
  }

  /** Puts a position into the stream as if it had been reached. */
  async setPosition(partition: number, position: object): Promise<void> {
    const log = await this.lake.openLog({ stream: "INTAKE", subjects: ["intake.>"] });
    const subject = kafkaPositionSubject(this.topic, partition);
    await log.append([{ subject, data: Buffer.from(JSON.stringify({ v: 1, ...position })) }]);
  }
}
