import { decodeIntakeFrame, type IntakePayload } from "@firn/core";
import { startService, type RunningService } from "@firn/service";
import { MemoryLogs, type LogRecord } from "@firn/stream";
import { defineIngestService } from "../src/ingest-service.ts";

/** A valid payload of health with `count` samples. */
export function healthPayload(userId = "u1", count = 1): Record<string, unknown> {
  const samples = Array.from({ length: count }, (_, i) => ({
    id: `${userId}-${i}`,
    type: "heartRate",
    value: 60 + (i % 40),
    unit: "count/min",
    startDate: "2026-11-20T10:00:00Z",
    endDate: "2026-11-20T10:00:05Z",
    sourceBundle: "com.apple.health",
  }));
  return { deviceId: "d1", userId, samples };
}

export interface IngestFixture {
  readonly service: RunningService;
  readonly broker: MemoryLogs;
  post(body: string | Uint8Array, headers?: Record<string, string>, dataset?: string): Promise<Response>;
  /** Every payload in the intake stream, in order. */
  stored(): Promise<(IntakePayload & { subject: string; sequence: number })[]>;
}

/** The service in this process, over a broker in memory. */
export async function startIngest(env: Record<string, string> = {}, broker = new MemoryLogs()): Promise<IngestFixture> {
  const service = await startService(
    defineIngestService(async () => broker),
    { NATS_URL: "nats://memory:4222", FIRN_PORT: "0", FIRN_LOG_LEVEL: "silent", ...env },
  );
  return {
    service,
    broker,
    post: (body, headers = {}, dataset = "health") =>
      fetch(`${service.url}/v1/ingest/${dataset}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      }),
    async stored() {
      const log = await broker.openLog({ stream: "INTAKE", subjects: ["intake.>"] });
      return payloadsOf(await readAll(log));
    },
  };
}

async function readAll(log: Awaited<ReturnType<MemoryLogs["openLog"]>>): Promise<LogRecord[]> {
  const { lastSequence } = await log.bounds();
  const records: LogRecord[] = [];
  if (lastSequence === 0) return records;
  const ending = new AbortController();
  for await (const record of log.read({ subjects: ["intake.>"], afterSequence: 0, signal: ending.signal })) {
    records.push(record);
    if (record.sequence === lastSequence) break;
  }
  ending.abort();
  return records;
}

function payloadsOf(records: readonly LogRecord[]) {
  // Positions in Kafka lie in the same stream.
  const frames = records.filter(({ subject }) => !subject.startsWith("intake.kafka."));
  return frames.flatMap(({ subject, sequence, data }) =>
    decodeIntakeFrame(data).map((payload) => ({ ...payload, subject, sequence })),
  );
}
