import {
  decodeColumnBatch,
  decodeRejectedBatch,
  encodeIntakeFrame,
  intakeSubject,
  type ColumnValue,
  type Dataset,
  type DeadLetter,
  RECORDS_HEADER,
} from "@firn/core";
import { datasets } from "@firn/datasets";
import { createMetrics, Parking, silentLogger } from "@firn/service";
import { intakeLog, MemoryLogs, validatedLog, type Log, type StreamConnection } from "@firn/stream";

import { ShardStage, type ShardStageOptions } from "../src/shard-stage.ts";
import { createValidatorMetrics } from "../src/validator-metrics.ts";

export const health: Dataset = datasets.get("health")!;

export interface World {
  readonly connection: StreamConnection;
  readonly intake: Log;
  readonly validated: Log;
}

export async function openWorld(connection: StreamConnection = new MemoryLogs(), shards = 1): Promise<World> {
  const intake = await connection.openLog(intakeLog({ shards, replicas: 1 }));
  const validated = await connection.openLog(validatedLog({ replicas: 1 }));
  return { connection, intake, validated };
}

export async function newStage(world: World, change: Partial<ShardStageOptions> = {}) {
  const attempts = await world.connection.attempts("firn");
  const metrics = createMetrics();
  const parking = new Parking("validator", attempts, silentLogger());
  const stage = new ShardStage({
    dataset: health,
    shard: 0,
    intake: world.intake,
    validated: world.validated,
    attempts,
    parking,
    metrics: createValidatorMetrics(metrics),
    logger: silentLogger(),
    validation: { strict: true, defaultZone: "UTC" },
    runBytesMax: 64 * 1024,
    trim: { keepMs: 600_000, keepBytes: 1e9 },
    ...change,
  });
  return { stage, parking, metrics, attempts };
}

/** A payload whose samples have these ids; ids that begin with "bad" have a negative value. */
export function payload(ids: readonly string[], more: object = {}): Uint8Array {
  const samples = ids.map((id) => ({
    id,
    type: "stepCount",
    value: id.startsWith("bad") ? -1 : 7,
    unit: "count",
    startDate: "2026-01-05T10:00:00Z",
    endDate: "2026-01-05T10:05:00Z",
  }));
  return Buffer.from(JSON.stringify({ deviceId: "d", userId: "u", samples, ...more }));
}

export async function send(world: World, ...payloads: readonly Uint8Array[]): Promise<void> {
  const frame = encodeIntakeFrame(
    payloads.map((bytes) => ({ bytes, receivedAtUs: 1, encoding: "json", origin: { kind: "http" } })),
  );
  await world.intake.append([{ subject: intakeSubject("health", 0), data: frame }]);
}

export interface Output {
  /** Ids of accepted samples in order; tombstones as `-id`. */
  readonly accepted: readonly string[];
  readonly rejected: readonly DeadLetter[];
  /** The cumulative counts of the position headers, in order. */
  readonly records: readonly number[];
  readonly messages: number;
}

/** Everything that lies in the validated stream. */
export async function outputOf(world: World): Promise<Output> {
  const accepted: string[] = [];
  const rejected: DeadLetter[] = [];
  const records: number[] = [];
  let messages = 0;
  const { lastSequence } = await world.validated.bounds();
  const { signal } = new AbortController();
  if (lastSequence === 0) return { accepted, rejected, records, messages };
  for await (const record of world.validated.read({
    subjects: ["accepted.>", "rejected.>"],
    afterSequence: 0,
    signal,
  })) {
    messages++;
    if (record.subject.startsWith("accepted")) {
      const { columns } = decodeColumnBatch(record.data);
      const ids = columns["sample_id"] as readonly ColumnValue[];
      ids.forEach((id, i) => accepted.push(columns["_op"]?.[i] === 1 ? `-${String(id)}` : String(id)));
      const header = record.headers[RECORDS_HEADER];
      if (header !== undefined) records.push(Number(header));
    } else {
      rejected.push(...decodeRejectedBatch(record.data).records);
    }
    if (record.sequence === lastSequence) break;
  }
  return { accepted, rejected, records, messages };
}
