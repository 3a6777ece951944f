import { startNatsServer, tempFolder, type NatsServer, type TempFolder } from "@firn/testing";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectStreams } from "../src/connect-streams.ts";
import type { StreamConnection } from "../src/connection.ts";
import { take } from "../src/contract/broker.ts";
import type { Log } from "../src/log.ts";
import { MemoryLogs } from "../src/memory-logs.ts";

const SUBJECTS = ["a", "b", "c.x", "c.y"];
const FILTERS = [["a"], ["*"], ["c.*"], [">"], ["a", "c.>"], ["b", "c.x"]];

type Step =
  | { kind: "append"; records: { subject: string; size: number; expects: "nothing" | "right" | "wrong" }[] }
  | { kind: "trim"; subject: string; back: number }
  | { kind: "read"; filters: string[]; back: number };

const subject = fc.constantFrom(...SUBJECTS);
const record = fc.record({
  subject,
  size: fc.integer({ min: 0, max: 300 }),
  expects: fc.constantFrom("nothing", "nothing", "right", "wrong"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("append"), records: fc.array(record, { minLength: 1, maxLength: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("trim"), subject, back: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("read"), filters: fc.constantFrom(...FILTERS), back: fc.nat(12) }),
  },
) as fc.Arbitrary<Step>;

let folder: TempFolder;
let server: NatsServer;
let streams: StreamConnection;

beforeAll(async () => {
  folder = await tempFolder("stream-model");
  server = await startNatsServer({ dir: folder.path, syncAlways: false });
  streams = await connectStreams({ url: server.url, name: "model" });
});
afterAll(async () => {
  await streams?.close();
  await server?.stop();
  await folder?.remove();
});

/** What a step shows to the outside. */
async function play(log: Log, root: string, now: Step): Promise<unknown> {
  const { lastSequence } = await log.bounds();
  if (now.kind === "trim") {
    await log.trim(`${root}.${now.subject}`, lastSequence - now.back);
    return (await log.bounds()).firstSequence;
  }
  if (now.kind === "read") {
    const subjects = now.filters.map((filter) => `${root}.${filter}`);
    const afterSequence = Math.max(0, lastSequence - now.back);
    const count = await log.pending(subjects, afterSequence);
    const records = count === 0 ? [] : await take(log, count, { subjects, afterSequence });
    return records.map(({ sequence, subject, data, headers }) => [sequence, subject, data.byteLength, headers]);
  }
  const lasts = new Map<string, number>();
  for (const { subject } of now.records) lasts.set(subject, (await log.last(`${root}.${subject}`))?.sequence ?? 0);
  const records = now.records.map(({ subject, size, expects }, i) => ({
    subject: `${root}.${subject}`,
    data: new Uint8Array(size),
    headers: { "Firn-Step": `${i}` },
    ...(expects === "nothing" ? {} : { expectedLastSequence: lasts.get(subject)! + (expects === "right" ? 0 : 1) }),
  }));
  return log.append(records).catch((error: unknown) => (error as { kind?: string }).kind ?? error);
}

test("JetStream and the in-memory adapter show the same after any steps", { timeout: 60_000 }, async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      runs += 1;
      const root = `m${runs}`;
      const spec = { stream: `M${runs}`, subjects: [`${root}.>`] };
      const [real, model] = [await streams.openLog(spec), await new MemoryLogs().openLog(spec)];
      for (const [i, now] of steps.entries()) {
        expect(await play(real, root, now), `step ${i}`).toEqual(await play(model, root, now));
      }
    }),
    { numRuns: 25 },
  );
});
