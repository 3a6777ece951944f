import { kafkaPartitionName, shardOf } from "@firn/core";
import { startMockKafka, waitFor, whyNoMockKafka, type MockKafka } from "@firn/testing";
import avsc from "avsc";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { healthPayload } from "./ingest-fixture.ts";
import { KafkaFixture, SHARDS, startRegistry } from "./kafka-fixture.ts";

const json = (user: string, count = 1) => Buffer.from(JSON.stringify(healthPayload(user, count)));
const message = (user: string, partition: number) => ({ key: user, partition, value: json(user) });
const users = (count: number, prefix = "u") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe.skipIf(whyNoMockKafka !== undefined)(`Kafka into the intake log ${whyNoMockKafka ?? ""}`, () => {
  let kafka: MockKafka;
  let fixture: KafkaFixture;

  beforeAll(async () => {
    kafka = await startMockKafka();
  });
  afterAll(async () => kafka?.stop());
  beforeEach(async () => {
    fixture = await KafkaFixture.open(kafka);
  });
  afterEach(async () => fixture.close());

  const expectOnce = async (count: number) => {
    const stored = await fixture.waitForStored(count);
    const places = stored.map(({ origin }) => `${origin.partition}/${origin.offset}`);
    expect(new Set(places).size, "doubled").toBe(places.length);
    expect(places).toHaveLength(count);
    return stored;
  };

  it("keeps the bytes, and a user in one shard whatever the key", async () => {
    const one = json("anna");
    await fixture.send([
      { key: "anna", partition: 0, value: one },
      { key: "another key", partition: 3, value: one },
    ]);
    await fixture.ingest();
    const stored = await expectOnce(2);
    for (const payload of stored) {
      expect(Buffer.from(payload.bytes)).toEqual(one);
      expect(payload.encoding).toBe("json");
      expect(payload.subject).toBe(`intake.health.${shardOf("anna", SHARDS)}`);
    }
    expect(stored.map(({ origin }) => origin.partition).sort()).toEqual([0, 3]);
  });

  it("keeps what cannot be read, in the shard of its partition", async () => {
    const values = [
      null,
      Buffer.of(7, 1, 2),
      Buffer.of(0, 0, 0),
      Buffer.of(0, 0, 0, 0, 9, 1),
      Buffer.from("{broken"),
      Buffer.from('{"userId":"u"}'),
      Buffer.from(JSON.stringify({ ...healthPayload("u"), samples: Array(10_001).fill(0) })),
    ];
    await fixture.send(values.map((value) => ({ partition: 2, value })));
    await fixture.ingest();
    const stored = await expectOnce(values.length);
    expect(stored.map(({ bytes }) => Buffer.from(bytes))).toEqual(values.map((value) => value ?? Buffer.alloc(0)));
    expect(new Set(stored.map(({ subject }) => subject))).toEqual(new Set(["intake.health.2"]));
    expect(stored.map(({ refused }) => refused?.errorType)).toEqual([
      "deserialization_error",
      "deserialization_error",
      "deserialization_error",
      "schema_error",
      undefined,
      undefined,
      "schema_error",
    ]);
  });

  it("goes on where its position is, whatever Kafka's own commit says", async () => {
    await fixture.send(users(40).map((user, i) => message(user, i % 4)));
    const first = await fixture.ingest();
    await expectOnce(40);
    await first.service.close();
    await fixture.send(users(40, "later").map((user, i) => message(user, i % 4)));
    // Another group has no commit at all: the client would begin at the first message.
    await fixture.ingest({ KAFKA_GROUP_ID: `other-${fixture.topic}` });
    await expectOnce(80);
  });

  it("loses and doubles nothing while the group rebalances", async () => {
    let sent = 0;
    const produce = async (count: number) => {
      for (let i = 0; i < count; i++, sent++) await fixture.send([message(`u${sent}`, sent % 4)]);
    };
    await fixture.ingest();
    await produce(50);
    const second = await fixture.ingest();
    await Promise.all([produce(100), fixture.ingest()]);
    await Promise.all([produce(100), second.service.close()]);
    await expectOnce(sent);
  });

  it("waits for a broker that is away or full, and goes on", async () => {
    await fixture.ingest({ FIRN_INTAKE_BYTES: "1MiB" });
    await fixture.send(users(20).map((user, i) => message(user, i % 4)));
    await expectOnce(20);
    fixture.lake.setConnected(false);
    await fixture.send(users(20, "away").map((user, i) => message(user, i % 4)));
    await new Promise((resolve) => setTimeout(resolve, 700));
    fixture.lake.setConnected(true);
    await expectOnce(40);
    const large = json("large", 2000);
    await fixture.send(users(8).map((_, i) => ({ partition: i % 4, value: large })));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await fixture.stored()).length).toBeLessThan(48);
    await fixture.lake.openLog({ stream: "INTAKE", subjects: ["intake.>"], bytesMax: 64 * 1024 * 1024 });
    await expectOnce(48);
  });

  it.each([
    ["no longer has", { next: 500 }, "the topic was made anew"],
    ["has other messages at", { next: 3, last: { offset: 2, digest: "0".repeat(16) } }, "another message at offset 2"],
  ])("parks a partition whose offset Kafka %s, and only that", async (_, position, reason) => {
    await fixture.send(users(40).map((user, i) => message(user, i % 4)));
    const what = kafkaPartitionName(fixture.topic, 1);
    const lake = await fixture.ingest({ KAFKA_TOPIC: `${fixture.topic}-other=health` });
    await lake.service.close();
    await fixture.setPosition(1, position);
    await fixture.ingest();
    expect((await fixture.waitForParked(what)).reason).toContain(reason);
    await fixture.waitForStored(30);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await fixture.stored()).toHaveLength(30);
    await fixture.order(what, { acceptLoss: true });
    await expectOnce(40);
    await fixture.waitForGoingOn(what);
  });

  it("waits for a schema registry that does not answer, asks once a schema, and never takes that for unknown", async () => {
    const schema = {
      type: "record",
      name: "P",
      fields: [
        { name: "userId", type: "string" },
        { name: "deviceId", type: "string" },
        { name: "samples", type: { type: "array", items: "int" } },
      ],
    };
    const type = avsc.Type.forSchema(schema as avsc.Schema);
    const avro = (id: number, userId: string) =>
      Buffer.concat([Buffer.of(0, 0, 0, 0, id), type.toBuffer({ userId, deviceId: "d", samples: [1] })]);
    const registry = await startRegistry(undefined);
    try {
      await fixture.send(users(30).map((user, i) => ({ partition: 1, value: avro(i === 7 ? 5 : 4, user) })));
      await fixture.send([message("json", 0)]);
      await fixture.ingest({ SCHEMA_REGISTRY_URL: registry.url });
      const what = kafkaPartitionName(fixture.topic, 1);
      expect((await fixture.waitForParked(what)).reason).toContain("registry answered 503");
      expect((await fixture.stored()).map(({ origin }) => origin.partition)).toEqual([0]);
      registry.schemas = { 4: { schema: JSON.stringify(schema) } };
      registry.asked = 0;
      const stored = (await expectOnce(31)).filter(({ origin }) => origin.partition === 1);
      expect(registry.asked).toBe(2);
      await fixture.waitForGoingOn(what);
      stored.sort((a, b) => a.origin.offset! - b.origin.offset!);
      stored.forEach((payload, i) => {
        if (i === 7)
          expect(payload).toMatchObject({ refused: { errorType: "schema_error" }, subject: "intake.health.1" });
        else expect(payload.subject).toBe(`intake.health.${shardOf(`u${i}`, SHARDS)}`);
        expect(payload.writerSchema).toBe(i === 7 ? undefined : JSON.stringify(schema));
      });
    } finally {
      registry.close();
    }
  });

  it("tells of a topic that is not there, and reads it as soon as it is", async () => {
    await fixture.ingest();
    expect((await fixture.waitForParked(`kafka.${fixture.topic}`)).reason).toContain("has no topic");
    await fixture.send([message("u", 0)]);
    await expectOnce(1);
    await fixture.waitForGoingOn(`kafka.${fixture.topic}`);
  });

  it("answers how far it is", async () => {
    await fixture.send(users(12).map((user) => message(user, 2)));
    await fixture.ingest();
    await expectOnce(12);
    const status = async () => {
      const answer = await fixture.lake.request("firn.ingest.kafka", new Uint8Array(), { timeoutMs: 2_000 });
      return JSON.parse(Buffer.from(answer).toString()) as { reachable: boolean; partitions: { partition: number }[] };
    };
    const { reachable, partitions } = await waitFor(status, { limitMs: 5_000 });
    expect(reachable).toBe(true);
    expect(partitions.find(({ partition }) => partition === 2)).toEqual({
      topic: fixture.topic,
      partition: 2,
      next: 12,
      end: 12,
    });
  });
});
