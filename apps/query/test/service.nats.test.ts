import {
  QUESTIONS,
  connectNatsClient,
  queryClient,
  questionPath,
  type NatsQueryClient,
  type PipelineStatus,
  type QuestionDefinition,
} from "@firn/client";
import {
  acceptedSubject,
  countProperty,
  parkedKey,
  positionProperty,
  rejectedSubject,
  sourceSnapshotProperty,
  streams,
} from "@firn/core";
import { startService, type OpenApiDocument, type RunningService } from "@firn/service";
import { connectStreams, intakeLog, validatedLog, type Log, type StreamConnection } from "@firn/stream";
import { startNatsServer, tempFolder, waitFor, type NatsServer, type TempFolder } from "@firn/testing";
import { tableFromIPC } from "apache-arrow";
import { parse } from "csv-parse/sync";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, queryService } from "../src/query-service.ts";
import { aggregate, rawRow, samples } from "./sample-rows.ts";
import { health, smallLake, type SmallLake } from "./small-lake.ts";

const SHARDS = 2;
const all = samples("2026-01-01", 20, 2);

let folder: TempFolder;
let nats: NatsServer;
let lake: SmallLake;
let service: RunningService;
let byNats: NatsQueryClient;
let connection: StreamConnection;
let intake: Log;
let validated: Log;

beforeAll(async () => {
  folder = await tempFolder("query-service");
  [nats, lake] = await Promise.all([startNatsServer({ dir: folder.path, maxPayload: 64 * 1024 }), smallLake()]);
  const raw = await lake.append(health.raw, all.map(rawRow));
  const source = { [sourceSnapshotProperty]: String(raw.metadata["current-snapshot-id"]) };
  for (const rollup of health.rollups) await lake.append(rollup.table, aggregate(all, rollup.period), source);
  const env = {
    FIRN_PORT: "0",
    NATS_URL: nats.url,
    ICEBERG_CATALOG_URI: "http://127.0.0.1:1",
    FIRN_SHARDS: String(SHARDS),
    FIRN_DATA_DIR: folder.path,
    FIRN_LOG_LEVEL: "warn",
  };
  const logTo = new Writable({ write: (_, __, done) => done() });
  service = await startService({ ...queryService, setup: (context) => assemble(context, lake.env) }, env, { logTo });
  await waitFor(async () => (await service.health.report()).ready, { limitMs: 20_000, what: "the service is ready" });
  byNats = await connectNatsClient(nats.url);
  connection = await connectStreams({ url: nats.url, name: "test" });
  intake = await connection.openLog(intakeLog({ shards: SHARDS, replicas: 1 }));
  validated = await connection.openLog(validatedLog({ replicas: 1 }));
}, 60_000);

afterAll(async () => {
  await byNats?.close();
  await connection?.close();
  await service?.close();
  await lake?.close();
  await nats?.stop();
  await folder?.remove();
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${service.url}${path}`, { headers });
const asked = { user_id: "anna", data_type: "heartRate" } as const;
const query = new URLSearchParams(asked).toString();

describe("over HTTP", () => {
  it("answers JSON with what stands beside the rows", async () => {
    const response = await get(`/api/health/daily?${query}&last=3`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("application/json");
    const body = (await response.json()) as Record<string, unknown>;
    expect(Object.keys(body)).toEqual(["data", "meta", "page", "stats"]);
    expect(body).toMatchObject({
      meta: { unit: "count/min", complete_through: expect.stringMatching(/Z$/) as string },
      page: { cursor: null },
      stats: { rows: 3, cached: false },
    });
  });

  it("answers the same rows as CSV and Arrow", async () => {
    const json = (await (await get(`/api/health/raw?${query}&limit=4`)).json()) as {
      data: Record<string, unknown>[];
      page: { cursor: string };
    };
    const csv = await get(`/api/health/raw?${query}&limit=4`, { accept: "text/csv" });
    expect(csv.headers.get("firn-cursor")).toBe(json.page.cursor);
    expect(JSON.parse(csv.headers.get("firn-meta")!)).toMatchObject({ page: json.page });
    const rows = parse(await csv.text(), { columns: true }) as Record<string, string>[];
    expect(rows.map((row) => row["sample_id"])).toEqual(json.data.map((row) => row["sample_id"]));
    const arrow = await get(`/api/health/raw?${query}&limit=4`, { accept: "application/vnd.apache.arrow.stream" });
    const table = tableFromIPC(new Uint8Array(await arrow.arrayBuffer()));
    expect([...table.getChild("value")!].map(Number)).toEqual(json.data.map((row) => row["value"]));
  });

  it.each([
    ["/api/health/daily?user_id=anna", 400, "data_type"],
    [`/api/health/daily?${query}&user=x`, 400, "user"],
    [`/api/health/daily?${query}&data_type=stepCount`, 400, "data_type"],
    [`/api/health/daily?${query}&last=`, 400, "last"],
    [`/api/health/daily?${query}&start_date=2026-02-01&end_date=2026-01-01`, 400, "end_date"],
    [`/api/health/daily?${query}&__proto__=x`, 400, "__proto__"],
    ["/api/pipeline?wait_ms=soon", 400, "wait_ms"],
    ["/api/health/nothing", 404, undefined],
    ["/api/nothing/daily", 404, undefined],
  ])("%s is %i that names %s", async (path, status, field) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    const body = (await response.json()) as { errors?: { field: string; rule: string; message: string }[] };
    if (field !== undefined)
      expect(body.errors).toEqual([
        { field, rule: expect.any(String) as string, message: expect.stringContaining(field) as string },
      ]);
  });

  it("refuses a form that it does not have", async () => {
    expect((await get(`/api/health/daily?${query}`, { accept: "image/png" })).status).toBe(406);
  });

  it("gives typed pages through the client", async () => {
    const client = queryClient(service.url);
    const ids: string[] = [];
    for await (const row of client.rows("health.raw", { ...asked, limit: 5 })) ids.push(row.sample_id);
    expect(ids.length).toBe(all.filter((sample) => sample.user === "anna" && sample.type === "heartRate").length);
    const csv = await client.askFor("health.types", { user_id: "anna" }, "text/csv");
    expect(new TextDecoder().decode(csv.bytes)).toContain("heartRate,count/min");
  });
});

describe("over NATS", () => {
  it("answers what HTTP answers", async () => {
    const http = await queryClient(service.url).ask("health.daily", { ...asked, last: 5 });
    const answer = await byNats.ask("health.daily", { ...asked, last: 5 });
    expect(answer.data).toEqual(http.data);
    expect(answer.meta.tables).toEqual(http.meta.tables);
  });

  it("answers errors as problem documents", async () => {
    const wrong = byNats.ask("health.daily", { user_id: "anna" } as never);
    await expect(wrong).rejects.toMatchObject({
      kind: "refused",
      code: "invalid_parameter",
      errors: [{ field: "data_type" }],
    });
    const encoder = new TextEncoder();
    for (const [subject, body, code] of [
      ["query.health.nothing", "{}", "not_found"],
      ["query.health.daily", "{", "broken_json"],
      ["query.health.daily", "[1]", "invalid_parameter"],
    ] as const) {
      const reply = await connection.request(subject, encoder.encode(body), { timeoutMs: 5_000 });
      expect(JSON.parse(new TextDecoder().decode(reply))).toMatchObject({ code });
    }
  });

  it("says that a reply would be too large, and by which parameter to ask for less", async () => {
    const large = byNats.ask("health.raw", { user_id: "anna", limit: 10_000 });
    await expect(large).resolves.toBeDefined();
    const many = Array.from({ length: 400 }, (_, n) => ({ ...all[0]!, id: `many-${n}`, user: "many" }));
    await lake.append(health.raw, many.map(rawRow));
    await expect(byNats.ask("health.raw", { user_id: "many", limit: 10_000 })).rejects.toMatchObject({
      code: "too_large",
      errors: [{ field: "limit" }],
    });
    let rows = 0;
    for await (const row of byNats.rows("health.raw", { user_id: "many", limit: 50 })) rows += row.value > 0 ? 1 : 0;
    expect(rows).toBe(400);
  });
});

interface Operation {
  readonly parameters?: { name: string; required: boolean }[];
  readonly requestBody?: {
    content: { "application/json": { schema: { required: string[]; properties: Record<string, unknown> } } };
  };
}

/** Names of an operation's parameters, or of its body's members, and which are required. */
function askedOf({ parameters, requestBody }: Operation): [string, boolean][] {
  if (parameters !== undefined) return parameters.map(({ name, required }) => [name, required]);
  const { required, properties } = requestBody!.content["application/json"].schema;
  return Object.keys(properties).map((name) => [name, required.includes(name)]);
}

describe("the OpenAPI document", () => {
  it("has every question, and what its definition says", async () => {
    const document = (await (await get("/docs-json")).json()) as OpenApiDocument;
    expect(document.openapi).toBe("3.1.0");
    const questions: readonly QuestionDefinition[] = QUESTIONS;
    for (const question of questions) {
      const { dataset, name, parameters, columns, method = "GET" } = question;
      const path = document.paths[questionPath(question)] as Record<string, Operation>;
      const operation = path[method.toLowerCase()]!;
      expect(askedOf(operation)).toEqual(parameters.map((parameter) => [parameter.name, parameter.required ?? false]));
      if (question.document !== undefined) continue;
      const row = `${[dataset, ...name.split("-")].map((word) => word[0]!.toUpperCase() + word.slice(1)).join("")}Row`;
      const schema = JSON.stringify(document.components!.schemas![row]);
      for (const column of columns) expect(schema).toContain(`"${column.name}"`);
    }
    for (const [, reference] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(Object.keys(document.components!.schemas!)).toContain(reference);
    }
    const page = await (await get("/docs")).text();
    expect(page).toContain("/api/health/daily");
    expect(page).not.toMatch(/src="http|href="http/);
  });
});

describe("the pipeline", () => {
  const status = async (waitMs = 0): Promise<PipelineStatus> => queryClient(service.url).pipeline({ waitMs });

  it("is told from streams and tables as they move on", async () => {
    const rollups = health.rollups.map((rollup) => rollup.table);
    const raw = await lake.setProperties(health.raw, {});
    const rawSnapshot = String(raw.metadata["current-snapshot-id"]);
    for (const table of rollups) await lake.setProperties(table, { [sourceSnapshotProperty]: rawSnapshot });
    expect(await status()).toMatchObject({ settled: true, lag: { intake: 0, accepted: 0, rejected: 0, rollup: 0 } });

    const data = new Uint8Array([1]);
    const { lastSequence: sent } = await intake.append([
      { subject: "intake.health.1", data },
      { subject: "intake.health.1", data },
    ]);
    expect(await status()).toMatchObject({ settled: false, lag: { intake: 2 } });

    const accepted = acceptedSubject("health", 1);
    const rejected = rejectedSubject("health", 1);
    const headers = {
      "Firn-Input-Sequence": String(sent),
      "Firn-Input-Identity": await intake.identity(),
      "Firn-Records": "12",
    };
    const { lastSequence: run } = await validated.append([
      { subject: rejected, data },
      { subject: accepted, data, headers },
    ]);
    expect(await status()).toMatchObject({
      settled: false,
      lag: { intake: 0, accepted: 1, rejected: 1 },
      datasets: { health: { received: 12 } },
    });

    const waiting = status(20_000);
    const written = await lake.append(health.raw, [rawRow({ ...all[0]!, id: "new", user: "new" })], {
      [positionProperty(streams.validated, accepted)]: String(run),
      [countProperty("stored")]: "7",
      [countProperty("corrected")]: "1",
      [countProperty("duplicates")]: "1",
      [countProperty("deleted")]: "1",
    });
    await lake.setProperties(health.errors, {
      [positionProperty(streams.validated, rejected)]: String(run),
      [countProperty("rejected")]: "1",
      [countProperty("duplicates")]: "1",
    });
    expect(await status()).toMatchObject({ settled: false, lag: { accepted: 0, rejected: 0 } });
    const source = String(written.metadata["current-snapshot-id"]);
    for (const table of rollups) await lake.setProperties(table, { [sourceSnapshotProperty]: source });
    connection.publishHint("lake.committed.health_db.health_data_monthly_agg", new Uint8Array());
    expect(await waiting).toEqual({
      settled: true,
      parked: [],
      lag: { intake: 0, accepted: 0, rejected: 0, rollup: 0 },
      datasets: expect.objectContaining({
        health: { received: 12, stored: 7, corrected: 1, duplicates: 2, rejected: 1, deleted: 1 },
      }) as unknown,
    });
  });

  it("says what is parked, why, and how to go on", async () => {
    const attempts = await connection.attempts("firn");
    const fix = "firn resume health.1 --from 0";
    const parked = { stage: "validator", shard: "health.1", reason: "the stream was made anew", fix };
    const key = parkedKey("validator", "health.1");
    await attempts.put(key, parked);
    expect(await status()).toMatchObject({ settled: false, parked: [parked] });
    await attempts.delete(key);
    expect((await status()).parked).toEqual([]);
  });

  it("says up to when an answer is complete", async () => {
    const before = new Date(Date.now() - 1000).toISOString();
    await waitFor(
      async () => {
        const { meta } = await byNats.ask("health.daily", { ...asked, last: 1 });
        return meta.complete_through !== null && meta.complete_through > before;
      },
      { limitMs: 20_000, what: "an answer that is complete through a moment ago" },
    );
  });

  it("answers of a table that is gone, and says nothing is complete while the writer is parked", async () => {
    const { errors } = health;
    await lake.env.catalog.dropTable({ namespace: [errors.namespace], name: errors.name });
    const attempts = await connection.attempts("firn");
    const parked = { stage: "catalog-writer", shard: "health.rejected", reason: "gone", fix: "firn resume" };
    await attempts.put(parkedKey("catalog-writer", "health.rejected"), parked);
    expect(await status()).toMatchObject({ settled: false, parked: [parked], lag: { rejected: 1 } });
    await waitFor(
      async () => (await byNats.ask("health.daily", { ...asked, last: 1 })).meta.complete_through === null,
      { limitMs: 20_000, what: "an answer that is not known to be complete" },
    );
  });
});

it("answers questions about tables while the broker is away", async () => {
  await nats.stop();
  const answer = await queryClient(service.url).ask("health.daily", { ...asked, last: 2 });
  expect(answer.data).toHaveLength(2);
  const pipeline = await get("/api/pipeline");
  expect(pipeline.status).toBe(503);
  expect(await pipeline.json()).toMatchObject({ code: "broker_unavailable" });
  expect((await get("/health/ready")).status).toBe(503);
});
