import { KAFKA_SOURCES_KEY, KAFKA_STATUS_SUBJECT, type KafkaSources, type KafkaStatus } from "@firn/core";
import { MemoryLogs, STATE_BUCKET } from "@firn/stream";
import { describe, expect, it } from "vitest";

import { heldMessages, isTaken, kafkaParkedKeys, readKafkaHold, type KafkaHold } from "./kafka-hold.ts";

const partition = (number: number, next: number, end: number) => ({ topic: "t", partition: number, next, end });
const known = (...partitions: KafkaStatus["partitions"]): KafkaHold => ({ kind: "known", partitions });

async function lake(sources?: KafkaSources, status?: KafkaStatus) {
  const connection = new MemoryLogs();
  const attempts = await connection.attempts(STATE_BUCKET);
  if (sources) await attempts.put(KAFKA_SOURCES_KEY, sources);
  if (status) {
    connection.reply(KAFKA_STATUS_SUBJECT, { queue: "q" }, async () => Buffer.from(JSON.stringify(status)));
  }
  return { connection, attempts };
}

const SOURCES = { topics: [{ topic: "t", dataset: "health", partitions: 2 }] };

describe("what Kafka holds", () => {
  it("is nothing where no Kafka is read, and unknown where nobody says", async () => {
    expect(await readKafkaHold(await lake())).toEqual({ kind: "none" });
    expect(await readKafkaHold(await lake(SOURCES))).toEqual({ kind: "unknown" });
    expect(await readKafkaHold(await lake(SOURCES, { reachable: false, partitions: [] }))).toEqual({ kind: "unknown" });
    const partitions = [partition(0, 3, 5)];
    expect(await readKafkaHold(await lake(SOURCES, { reachable: true, partitions }))).toEqual(known(...partitions));
  });

  it("is counted in messages", () => {
    expect(heldMessages(known(partition(0, 3, 5), partition(1, 0, 7), partition(2, 9, 4)))).toBe(9);
    expect(heldMessages({ kind: "unknown" })).toBe(0);
  });

  it("is taken when every partition's position has reached what was its end", () => {
    const before = known(partition(0, 3, 5), partition(1, 0, 7));
    expect(isTaken(before, before)).toBe(false);
    expect(isTaken(before, known(partition(0, 5, 50), partition(1, 6, 70)))).toBe(false);
    expect(isTaken(before, known(partition(0, 5, 50), partition(1, 7, 70)))).toBe(true);
    expect(isTaken(before, known(partition(0, 5, 5)))).toBe(false);
    expect(isTaken(before, { kind: "unknown" })).toBe(false);
    expect(isTaken({ kind: "unknown" }, { kind: "unknown" })).toBe(false);
    expect(isTaken({ kind: "none" }, { kind: "none" })).toBe(true);
  });

  it("may stand still in each partition, each topic, or as a whole", async () => {
    expect(await kafkaParkedKeys(await lake())).toEqual([]);
    expect(await kafkaParkedKeys(await lake(SOURCES))).toEqual(
      ["kafka", "kafka.t", "kafka.t.0", "kafka.t.1"].map((part) => `parked.ingest.${part}`),
    );
  });
});
