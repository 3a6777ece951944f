import { join } from "node:path";

import { startMockKafka, whyNoMockKafka, type MockKafka } from "@firn/testing";
import kafkajs from "kafkajs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { runFirn } from "../program.ts";

const samples = (name: string) => join(import.meta.dirname, "../../../../samples/health", name);

async function firn(...args: string[]): Promise<{ exitCode: number; json: Record<string, unknown> }> {
  const lines: string[] = [];
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const exitCode = await runFirn([...args, "--json"]);
    return { exitCode, json: JSON.parse(lines.join("") || "{}") as Record<string, unknown> };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = 0;
  }
}

describe.skipIf(whyNoMockKafka !== undefined)(`firn produce ${whyNoMockKafka ?? ""}`, () => {
  let kafka: MockKafka;
  beforeAll(async () => {
    kafka = await startMockKafka();
  });
  afterAll(async () => kafka?.stop());

  it("sends one message a payload with its user as the key", async () => {
    const files = [samples("weightLogInfo.csv.gz"), samples("bad-records.ndjson")];
    const sent = await firn("produce", ...files, "--brokers", kafka.broker, "--topic", "produced");
    expect(sent).toMatchObject({ exitCode: 0, json: { topic: "produced" } });
    const messages = await readTopic(kafka.broker, "produced", Number(sent.json["messages"]));
    for (const { key, value } of messages.filter((message) => message.key !== null)) {
      expect((JSON.parse(value!.toString()) as { userId: string }).userId).toBe(key!.toString());
    }
    expect(messages.filter(({ key }) => key !== null).length).toBeGreaterThan(1);
  });

  it.each([
    [2, ["--brokers", "nowhere"]],
    [2, ["--brokers", "127.0.0.1:1", "--format", "avro"]],
    [3, ["--brokers", "127.0.0.1:1"]],
  ])("ends with %d for %s", async (exitCode, options) => {
    expect(await firn("produce", samples("weightLogInfo.csv.gz"), ...options)).toMatchObject({ exitCode });
  });
});

async function readTopic(broker: string, topic: string, count: number) {
  const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
  const consumer = client.consumer({ groupId: "check", sessionTimeout: 6_000 });
  const messages: kafkajs.KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: kafkajs.EachMessagePayload) => {
      if (messages.push(message) === count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return messages;
}
