import { acceptedSubject, intakeSubject, type QuestionKeyOf } from "@firn/core";
import { datasetRegistry } from "@firn/datasets";
import { healthDeclaration } from "../libs/datasets/src/health/declaration.ts";
import { marketDeclaration } from "../libs/datasets/src/market/declaration.ts";
import { salesDeclaration } from "../libs/datasets/src/sales/declaration.ts";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { acceptPayloads } from "../apps/ingest/src/accepted-payloads.ts";
import { ingestOpenApi } from "../apps/ingest/src/openapi.ts";
import { verifyRollup } from "../apps/cli/src/verify/verify-rollup.ts";
import { openApiDocument } from "../apps/query/src/http/openapi.ts";
import { type AskedLake, askedLake } from "./support/asked-lake.ts";
import { InProcessLake } from "./support/in-process-lake.ts";
import { tidesDeclaration } from "./support/tides/declaration.ts";

/**
 * A fourth lake, made by docs/adding-a-dataset.md: one folder (e2e/support/tides) and its name in the registry, which
 * is the line below. Nothing else knows it, from the request to the answer.
 */
const registry = datasetRegistry([healthDeclaration, salesDeclaration, marketDeclaration, tidesDeclaration]);
const tides = registry.create().get("tides")!;

let lake: InProcessLake;
let asked: AskedLake;
beforeEach(async () => {
  lake = await InProcessLake.open({ dataset: tides });
  asked = await askedLake(lake);
});
afterEach(async () => {
  await asked.close();
  await lake.close();
});

/** What ingest makes of a body, handed to the stages. */
async function ingest(...payloads: unknown[]): Promise<void> {
  const { payloads: taken } = acceptPayloads(Buffer.from(JSON.stringify(payloads)), "json", tides, 1);
  await lake.send(taken.map(({ bytes }) => Buffer.from(bytes).toString("utf8")));
  await lake.settle();
}

const reading = (at: string, height: number, temperature = 10) => ({ at, height, temperature });

describe("a lake of one folder and one line", () => {
  it("stands beside the others, with its settings and the types of its questions", () => {
    expect([...registry.create().keys()]).toEqual(["health", "sales", "market", "tides"]);
    expect(registry.settings.tidesNamespace).toMatchObject({ env: "FIRN_TIDES_DATABASE", default: "tides" });
    expect(registry.create({ tidesNamespace: "coast.tides" }).get("tides")!.raw.namespace).toBe("coast.tides");
    expectTypeOf<"tides.range" | "tides.crests">().toExtend<QuestionKeyOf<(typeof registry.questions)[number]>>();
  });

  it("takes events in and answers what was made of them", async () => {
    await ingest(
      {
        gauge: "cuxhaven",
        readings: [reading("2026-01-31T06:00:00Z", 140, 4), reading("2026-01-31T12:00:00Z", -150, 5)],
      },
      { gauge: "brest", readings: [reading("2026-01-31T06:00:00Z", 310), reading("2026-01-31T07:00:00Z", 9_999)] },
    );
    await ingest({ gauge: "cuxhaven", readings: [reading("2026-02-01T06:00:00Z", 150, 6)] });
    // A correction, and the same again.
    await ingest({ gauge: "cuxhaven", readings: [reading("2026-01-31T06:00:00Z", 145, 4)] });
    await ingest({ gauge: "cuxhaven", readings: [reading("2026-01-31T06:00:00Z", 145, 4)] });
    expect(await lake.counts()).toMatchObject({ received: 7, stored: 4, corrected: 1, duplicates: 1, rejected: 1 });
    expect((await asked.ask("/api/tides/daily", { gauge: "cuxhaven" })).data).toEqual([
      {
        gauge: "cuxhaven",
        day: "2026-01-31",
        highest_cm: 145,
        lowest_cm: -150,
        mean_temperature: 4.5,
        readings: 2,
        total_height_cm: -5,
      },
      {
        gauge: "cuxhaven",
        day: "2026-02-01",
        highest_cm: 150,
        lowest_cm: 150,
        mean_temperature: 6,
        readings: 1,
        total_height_cm: 150,
      },
    ]);
    const january = { start_date: "2026-01-10", end_date: "2026-01-31" };
    expect((await asked.ask("/api/tides/monthly", january)).data).toEqual([
      expect.objectContaining({ gauge: "brest", month_start: "2026-01-01", month: 1, highest_cm: 310, readings: 1 }),
      expect.objectContaining({ gauge: "cuxhaven", window_end: "2026-02-01T00:00:00Z", mean_temperature: 4.5 }),
    ]);
    expect((await asked.ask("/api/tides/daily", { last: 1 })).data).toMatchObject([
      { gauge: "cuxhaven", day: "2026-02-01" },
    ]);
    const [refused] = (await asked.ask("/api/tides/errors")).data as Record<string, string>[];
    expect(refused).toMatchObject({ device_id: "brest", error_type: "validation_error" });
    expect(refused!["error_message"]).toBe("height 9999 is out of range: it must be within ±3000 cm");
  });

  it("answers a question of its own, in pages, checked like every other", async () => {
    await ingest(
      { gauge: "cuxhaven", readings: [reading("2026-01-30T06:00:00Z", 900), reading("2026-01-31T06:00:00Z", 140)] },
      { gauge: "cuxhaven", readings: [reading("2026-02-01T12:00:00Z", -150)] },
      { gauge: "brest", readings: [reading("2026-02-01T06:00:00Z", 310), reading("2026-02-02T06:00:00Z", 20)] },
      { gauge: "kiel", readings: [reading("2026-02-02T06:00:00Z", 10)] },
    );
    const since = "2026-01-31";
    expect((await asked.ask("/api/tides/range", { since })).data).toEqual([
      { gauge: "brest", range_cm: 290 },
      { gauge: "cuxhaven", range_cm: 290 },
      { gauge: "kiel", range_cm: 0 },
    ]);
    const first = await asked.ask("/api/tides/range", { since, limit: 1, at_least: 1 });
    const rest = await asked.ask("/api/tides/range", { since, limit: 1, at_least: 1, cursor: first.page.cursor });
    expect([...first.data, ...rest.data].map(({ gauge }) => gauge)).toEqual(["brest", "cuxhaven"]);
    expect((await asked.ask("/api/tides/range", { since, gauge: "kiel,brest" })).data).toHaveLength(2);
    await expect(asked.ask("/api/tides/range", { gauge: "kiel" })).rejects.toThrow("since is missing");
    expect(openApiDocument("0", asked.questions.all).paths).toHaveProperty(["/api/tides/range"]);
    expect(asked.questions.ofSubject("tides.range")?.columns.map(({ name }) => name)).toEqual(["gauge", "range_cm"]);
  });

  it("computes an answer from two of its tables, and says what it cannot answer", async () => {
    await ingest(
      { gauge: "cuxhaven", readings: [reading("2026-01-30T06:00:00Z", 145), reading("2026-01-31T06:00:00Z", 150)] },
      { gauge: "cuxhaven", readings: [reading("2026-01-31T12:00:00Z", -150), reading("2026-02-01T06:00:00Z", 30)] },
      { gauge: "brest", readings: [reading("2026-01-31T06:00:00Z", 310), reading("2026-01-30T06:00:00Z", 290)] },
    );
    const of = { gauge: "cuxhaven", end_date: "2026-02-28" };
    const crests = await asked.ask("/api/tides/crests", of);
    expect(crests.data).toEqual([
      { day: "2026-01-30", highest_cm: 145, below_cm: 5 },
      { day: "2026-01-31", highest_cm: 150, below_cm: 0 },
      { day: "2026-02-01", highest_cm: 30, below_cm: 0 },
    ]);
    expect(Object.keys(crests.meta.tables)).toEqual(["tides.tide_days", "tides.tide_months"]);
    expect((await asked.ask("/api/tides/crests", { ...of, within: 4 })).data).toHaveLength(2);
    const first = await asked.ask("/api/tides/crests", { ...of, limit: 2 });
    const rest = await asked.ask("/api/tides/crests", { ...of, limit: 2, cursor: first.page.cursor });
    expect([...first.data, ...rest.data]).toEqual(crests.data);
    const before = new Date().toISOString();
    await ingest({ gauge: "cuxhaven", readings: [reading("2026-01-29T06:00:00Z", 900)] });
    expect((await asked.ask("/api/tides/crests", of)).data).toHaveLength(2);
    expect((await asked.ask("/api/tides/crests", { ...of, as_of: before })).data).toEqual(crests.data);
    await expect(asked.ask("/api/tides/crests", { gauge: "kiel" })).rejects.toMatchObject({
      name: "Problem",
      status: 404,
      code: "unknown_gauge",
      errors: [{ field: "gauge", rule: "known", message: "there is no gauge kiel" }],
    });
    const { paths } = openApiDocument("0", asked.questions.all);
    expect(paths["/api/tides/crests"]).toHaveProperty(["get", "responses", "404", "description"]);
  });

  it("pages its records, and verifies, rebuilds and describes itself like any other", async () => {
    await ingest({
      gauge: "brest",
      readings: Array.from({ length: 5 }, (_, n) => reading(`2026-03-0${n + 1}T00:00:00Z`, n)),
    });
    const first = await asked.ask("/api/tides/raw", { limit: 3, start_time: "2026-03-02T00:00:00Z" });
    const rest = await asked.ask("/api/tides/raw", {
      limit: 3,
      start_time: "2026-03-02T00:00:00Z",
      cursor: first.page.cursor,
    });
    const heights = [...first.data, ...rest.data].map((row) => (row as { height_cm: number }).height_cm);
    expect(heights).toEqual([1, 2, 3, 4]);
    expect((await lake.rebuild({ validate: true })).validation).toMatchObject({ ok: true });
    const context = { env: lake.env, connection: lake.connection, defaultZone: "UTC", examplesMax: 5 };
    for (const rollup of tides.rollups)
      expect(await verifyRollup(context, tides, rollup), rollup.name).toMatchObject({ ok: true, differences: 0 });
    expect(Object.keys(ingestOpenApi([tides], "0").paths)).toEqual(["/v1/ingest/tides"]);
    const { paths } = openApiDocument("0", asked.questions.all);
    for (const name of ["daily", "monthly", "raw", "errors"]) expect(paths).toHaveProperty([`/api/tides/${name}`]);
    expect([intakeSubject(tides.name, 0), acceptedSubject(tides.name, 0)]).toEqual([
      "intake.tides.0",
      "accepted.tides.0",
    ]);
  });
});
