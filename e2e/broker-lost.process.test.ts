/** A broker that comes back without its files: the writer waits for a decision, and then nothing is lost or doubled. */
import type { PipelineStatus } from "@firn/client";
import { waitFor } from "@firn/testing";
import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startLake, type Endpoints, type RunningLake } from "../bench/load/lake.mjs";
import { goodSample, payload } from "./support/bad-input.ts";
import { ingest, rowsOf, send, settledCounts } from "./support/lake-requests.ts";

const limitMs = 180_000;
const waitMs = 60_000;
const firn = join(import.meta.dirname, "..", "apps", "cli", "dist", "main.js");

let lake: RunningLake;
beforeAll(async () => {
  lake = await startLake({ name: "broker-lost" });
}, limitMs);
afterAll(() => lake?.stop(), limitMs);

const endpointsNow = () => JSON.parse(readFileSync(join(lake.dir, "endpoints.json"), "utf8")) as Endpoints;

async function pipeline(): Promise<PipelineStatus> {
  const { status, text } = await send(`${lake.endpoints.query}/api/pipeline`);
  if (status !== 200) throw new Error(text);
  return JSON.parse(text) as PipelineStatus;
}

it(
  "parks the writer, goes on after firn resume in the same processes, and counts on exactly",
  async () => {
    const accept = async (...ids: string[]) =>
      waitFor(
        async () => (await ingest(lake.endpoints, payload("ada", [...ids.map(goodSample), "7"]))).status === 202,
        {
          limitMs: waitMs,
          everyMs: 200,
        },
      );
    await accept("a", "b");
    expect(await settledCounts(lake.endpoints)).toMatchObject({ received: 3, stored: 2, rejected: 1 });
    const { pids } = endpointsNow();

    process.kill(pids["nats"] ?? 0, "SIGKILL");
    rmSync(join(lake.dir, "nats", "jetstream"), { recursive: true });
    await accept("b", "c");
    const parked = await waitFor(
      async () => {
        const { parked: stages } = await pipeline();
        const both = ["health.accepted", "health.rejected"];
        return both.every((shard) => stages.some((one) => one.shard === shard)) ? stages : undefined;
      },
      { limitMs: waitMs, everyMs: 200, what: "the writer to park" },
    );
    expect(parked[0]).toMatchObject({
      stage: "catalog-writer",
      reason: expect.stringContaining("made anew"),
      fix: expect.stringContaining("firn resume"),
    });
    expect(await pipeline()).toMatchObject({ settled: false });

    await waitFor(
      () => promisify(execFile)(process.execPath, [firn, "resume", "health", "--accept-loss", "--data-dir", lake.dir]),
      { limitMs: waitMs, what: "firn resume" },
    );
    // A bad sample is the same again: a duplicate, as b is.
    expect(await settledCounts(lake.endpoints)).toEqual({
      received: 6,
      stored: 3,
      corrected: 0,
      duplicates: 2,
      rejected: 1,
      deleted: 0,
    });
    const rows = await rowsOf<{ sample_id: string }>(lake.endpoints, "health/raw", { user_id: "ada" });
    expect(rows.map((row) => row.sample_id).sort()).toEqual(["a", "b", "c"]);
    const { nats, ...others } = pids;
    expect(endpointsNow().pids).toMatchObject(others);
    expect(endpointsNow().pids["nats"]).not.toBe(nats);
  },
  limitMs,
);
