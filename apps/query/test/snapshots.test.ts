import { bucketHash, currentFiles, loadTable } from "@firn/lake";
import { readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answeringLake, byColumns, daily, monthly, old, same, type AnsweringLake } from "./answering-lake.ts";
import { USERS, aggregate } from "./sample-rows.ts";
import { health } from "./small-lake.ts";

let answering: AnsweringLake;
const ask: AnsweringLake["ask"] = (...asked) => answering.ask(...asked);

beforeAll(async () => {
  answering = await answeringLake();
});
afterAll(() => answering.close());

describe("time travel", () => {
  it("answers from the snapshot that is named", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    const body = await ask("weekly", { ...asked, snapshot_id: answering.firstWeekly });
    same(
      body.data,
      aggregate(
        old.filter((s) => s.user === "anna" && s.type === "heartRate"),
        "week",
      ).sort(byColumns("week_start_date")),
    );
    expect(body.meta.tables["health_db.health_data_weekly_agg"]!.snapshot_id).toBe(answering.firstWeekly);
    expect(body.meta.complete_through).toBeNull();
  });
  it("answers as of an instant, with nothing before the first one", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    expect((await ask("weekly", { ...asked, as_of: "2020-01-01T00:00:00Z" })).data).toEqual([]);
    const now = await ask("weekly", { ...asked, as_of: new Date().toISOString() });
    expect(now.data).toEqual((await ask("weekly", asked)).data);
  });
  it("refuses a snapshot that is not there", async () => {
    const asked = { user_id: "anna", data_type: "heartRate", snapshot_id: "123" };
    await expect(ask("daily", asked)).rejects.toMatchObject({ status: 400, errors: [{ field: "snapshot_id" }] });
  });
});

describe("cursors", () => {
  it("are refused when made up, or made for another question", async () => {
    const { page } = await ask("raw", { user_id: "anna", limit: 3 });
    for (const cursor of [
      "x",
      "!!",
      Buffer.from("[1]").toString("base64url"),
      Buffer.from('"a"').toString("base64url"),
    ]) {
      await expect(ask("raw", { user_id: "anna", cursor })).rejects.toMatchObject({
        status: 400,
        errors: [{ field: "cursor" }],
      });
    }
    await expect(ask("raw", { user_id: USERS[1], cursor: page.cursor })).rejects.toMatchObject({
      errors: [{ rule: "same_question" }],
    });
    await expect(ask("latest", { user_id: "anna", cursor: page.cursor })).rejects.toMatchObject({
      errors: [{ rule: "unknown" }],
    });
  });
});

describe("after more commits", () => {
  it("pages go on in the snapshot where they began, and new answers see corrections", async () => {
    const asked = { user_id: "anna", data_type: "heartRate" };
    const before = await ask("daily", asked);
    const first = await ask("daily", { ...asked, limit: 4 });
    const corrected = {
      ...aggregate(old, "day").find((row) => row["user_id"] === "anna" && row["data_type"] === "heartRate")!,
      max_value: 999,
    };
    await answering.lake.upsert(daily, [corrected]);
    const rest = await ask("daily", { ...asked, cursor: first.page.cursor, limit: 10_000 });
    expect([...first.data, ...rest.data]).toEqual(before.data);
    const after = await ask("daily", asked);
    expect(after.data).toHaveLength(before.data.length);
    expect(after.data[0]!["max_value"]).toBe(999);
    expect((await ask("top", { data_type: "heartRate", by: "max_value", limit: 1 })).data[0]!["max_value"]).toBe(999);
  });

  it("the same question on the same snapshot reads nothing, until the table moves on", async () => {
    const cached = answering.cachingService();
    const asked = { user_id: USERS[1], data_type: "heartRate" };
    const first = await ask("daily", asked, cached);
    const again = await ask("daily", asked, cached);
    expect(first.stats.cached).toBe(false);
    expect(again.stats).toMatchObject({ cached: true, files_read: 0, bytes_read: 0, cost_usd: 0 });
    expect(again.data).toEqual(first.data);
    await answering.lake.append(daily, [
      { ...aggregate(old, "day")[0]!, user_id: USERS[1], data_type: "heartRate", aggregation_date: "2030-01-01" },
    ]);
    const moved = await ask("daily", asked, cached);
    expect(moved.stats.cached).toBe(false);
    expect(moved.data).toHaveLength(first.data.length + 1);
  });

  it("follows a renamed column by its field id", async () => {
    const { catalog } = answering.lake.env;
    const identifier = { namespace: [health.namespace], name: monthly.name };
    const before = await ask("monthly", { user_id: "anna", data_type: "heartRate" });
    const { metadata } = await catalog.loadTable(identifier);
    const schema = metadata.schemas.at(-1)!;
    const fields = schema.fields.map((field) => (field.name === "data_type" ? { ...field, name: "kind" } : field));
    await catalog.commitTable(identifier, {
      requirements: [],
      updates: [
        {
          action: "add-schema",
          schema: { ...schema, fields, "schema-id": schema["schema-id"] + 1 },
          "last-column-id": metadata["last-column-id"],
        },
        { action: "set-current-schema", "schema-id": -1 },
      ],
    });
    expect((await ask("monthly", { user_id: "anna", data_type: "heartRate" })).data).toEqual(before.data);
  });
});

describe("a damaged table", () => {
  const asked = { user_id: "anna", data_type: "heartRate", start_date: "2024-12-01", end_date: "2024-12-02" };
  async function fileOfDaily(): Promise<string> {
    expect((await ask("daily", asked)).stats.files_read).toBeGreaterThan(0);
    const table = await loadTable(answering.lake.env, { namespace: [health.namespace], name: daily.name });
    const files = await currentFiles(answering.lake.env, table);
    const hits = files.data.filter((file) => JSON.stringify(file.partition).includes("2024-12"));
    const bucket = (bucketHash("string", "anna") & 0x7fffffff) % 8;
    return hits.find((file) => Object.values(file.partition).includes(bucket))!.filePath;
  }

  it("is 503 that names table and file, and the other questions go on", async () => {
    const location = await fileOfDaily();
    const path = fileURLToPath(location);
    const bytes = await readFile(path);
    const cached = answering.cachingService();
    await ask("daily", asked, cached);
    const unreadable = { status: 503, code: "table_unreadable", message: expect.stringContaining(location) as string };

    await truncate(path, 100);
    await expect(ask("daily", asked, cached)).rejects.toMatchObject(unreadable);
    await writeFile(path, Buffer.alloc(bytes.length, 7));
    await expect(ask("daily", asked, cached)).rejects.toMatchObject(unreadable);
    await rm(path);
    const gone = await ask("daily", asked, cached).catch((error: unknown) => error);
    expect(gone).toMatchObject({
      ...unreadable,
      errors: [{ field: "health_db.health_data_daily_agg", rule: "readable" }],
    });
    expect((await ask("weekly", { user_id: "anna", data_type: "heartRate" }, cached)).data.length).toBeGreaterThan(0);

    await writeFile(path, bytes);
    await utimes(path, new Date(), new Date());
    expect((await ask("daily", asked, cached)).data.length).toBeGreaterThan(0);
  });

  it("is noticed by any bit of it, also where the file stays readable", async () => {
    const location = await fileOfDaily();
    const path = fileURLToPath(location);
    const bytes = await readFile(path);
    const cached = answering.cachingService();
    const before = await ask("daily", asked, cached);
    for (let n = 0; n < 40; n++) {
      const damaged = Buffer.from(bytes);
      damaged[Math.floor((bytes.length * n) / 40)]! ^= 1 << (n % 8);
      await writeFile(path, damaged);
      const answer = ask("daily", asked, cached);
      await expect(answer).rejects.toMatchObject({ code: "table_unreadable" });
      await expect(answer).rejects.toThrow(/bytes have the checksum [0-9a-f]{8}, its name says [0-9a-f]{8}/);
    }
    await writeFile(path, bytes);
    expect((await ask("daily", asked, cached)).data).toEqual(before.data);
  });
});
