import { foreignReceivedProperty, positionEntry } from "@firn/core";
import {
  commitChange,
  currentFiles,
  currentSnapshot,
  expireSnapshots,
  eq,
  planScan,
  scanSql,
  type SnapshotChange,
  stagePositionDeletes,
  stageRows,
} from "@firn/lake";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthModel, localDate, type ModelSample } from "./support/health-model.ts";
import { InProcessLake } from "./support/in-process-lake.ts";
import { expectAggregates, sample, sendSamples, user } from "./support/one-user.ts";

/** Rows that another engine commits to raw: counted, single, with a local date, and in the aggregates. */
let lake: InProcessLake;
let model: HealthModel;
beforeEach(async () => {
  lake = await InProcessLake.open();
  model = new HealthModel();
});
afterEach(() => lake.close());

async function send(...samples: readonly ModelSample[]): Promise<void> {
  await sendSamples(lake, samples);
  for (const one of samples) model.arrive(user, one);
}

async function sendSettled(...samples: readonly ModelSample[]): Promise<void> {
  await send(...samples);
  await lake.settle();
}

const raw = () => lake.table(lake.dataset.raw);

/** Commits to raw as an engine does that knows nothing of the lake. */
async function commitForeign(change: SnapshotChange): Promise<void> {
  await commitChange(lake.env, await raw(), change);
}

interface ForeignSample extends ModelSample {
  /** Absent: the row has no local date. */
  readonly localDate?: string;
}

function rowsSql(samples: readonly ForeignSample[]): string {
  const rows = samples.map(({ id, type, value, startMs, zone, localDate: date }) => {
    const at = `make_timestamptz(${startMs * 1000})`;
    const values = [
      `'spark' AS device_id, '${user}' AS user_id, '${id}' AS sample_id, '${type}' AS data_type, ${value}::DOUBLE AS value`,
      `'count/min' AS unit, ${at} AS start_date, ${at} AS end_date, NULL::VARCHAR AS source_bundle`,
      `NULL::MAP(VARCHAR, VARCHAR) AS metadata, true AS is_synced, ${at} AS created_at, ${at} AS payload_timestamp`,
      `'' AS app_version, ${at} AS processing_time, ${zone === undefined ? "NULL" : `'${zone}'`}::VARCHAR AS timezone`,
      `NULL::INTEGER AS timezone_offset, ${date === undefined ? "NULL" : `'${date}'`}::DATE AS local_date`,
    ];
    return `SELECT ${values.join(", ")}`;
  });
  return rows.join(" UNION ALL ");
}

async function append(...samples: readonly ForeignSample[]): Promise<void> {
  const addedData = await stageRows(lake.connection, {
    env: lake.env,
    table: await raw(),
    relationSql: rowsSql(samples),
  });
  await commitForeign({ operation: "append", addedData });
  for (const one of samples) model.arrive(user, one);
}

/** Deletes by position. */
async function remove(id: string): Promise<void> {
  const table = await raw();
  const plan = await planScan({ env: lake.env, table, where: eq("sample_id", id) });
  const relationSql = await scanSql(plan, {
    store: lake.env.store,
    columns: [],
    taskColumn: "file_at",
    positionColumn: "pos",
  });
  const addedDeletes = await stagePositionDeletes(lake.connection, {
    env: lake.env,
    table,
    dataFiles: plan.tasks.map((task) => task.file),
    relationSql,
  });
  await commitForeign({ operation: "delete", addedDeletes });
  model.remove(user, id);
}

/** Writes every file of raw anew with the rows of a SELECT over `raw_rows`, as an update by copy-on-write does. */
async function rewrite(select: string): Promise<void> {
  const table = await raw();
  const removedData = (await currentFiles(lake.env, table)).data;
  const rows = await lake.scan(lake.dataset.raw);
  const relationSql = `WITH raw_rows AS (${rows}) ${select}`;
  const addedData = await stageRows(lake.connection, { env: lake.env, table, relationSql });
  await commitForeign({ operation: "overwrite", addedData, removedData });
}

interface Row {
  readonly sample_id: string;
  readonly value: number;
  readonly local_date: string;
}

/** Raw and the aggregates hold what the model has, and the counts add up to what arrived. */
async function expectModel(): Promise<void> {
  await lake.settle();
  const rows = await lake.connection.rows<Row>(
    `SELECT sample_id, value, local_date::VARCHAR AS local_date FROM (${await lake.scan(lake.dataset.raw)}) ORDER BY 1`,
  );
  const expected = model.samples().map(({ sample: one }): Row => ({
    sample_id: one.id,
    value: one.value,
    local_date: localDate(one),
  }));
  expect(rows).toEqual(expected.toSorted((one, other) => (one.sample_id < other.sample_id ? -1 : 1)));
  await expectAggregates(lake, model);
  expect(await lake.counts()).toEqual(model.counts);
}

describe("rows of another engine", () => {
  it("count as stored, get the local date of their zone, and are found by the next arrivals", async () => {
    await sendSettled(sample("a", 60));
    await append(
      { ...sample("x", 70), startMs: Date.parse("2026-03-05T22:00:00Z"), zone: "Asia/Seoul" },
      { ...sample("y", 71, "2026-04-02"), localDate: "2026-04-02" },
      { ...sample("z", 72, "2026-04-03") },
    );
    await expectModel();
    await sendSettled({ ...sample("y", 71, "2026-04-02") }, sample("z", 73, "2026-04-03"));
    await expectModel();
    expect(model.counts).toMatchObject({ stored: 4, duplicates: 1, corrected: 1 });
  });

  it("win over ours where they come later, and are duplicates where they say the same", async () => {
    await sendSettled(sample("a", 60), sample("b", 61), sample("c", 62));
    await append(sample("a", 80), { ...sample("b", 61), localDate: "2026-03-01" });
    await expectModel();
    expect(await lake.rows<Row>(lake.dataset.raw)).toHaveLength(3);
  });

  it("of one identity in one commit leave the last", async () => {
    await sendSettled(sample("a", 60));
    await append(sample("x", 70), sample("x", 71), sample("a", 62), sample("x", 72), sample("a", 62));
    await expectModel();
    expect(model.counts).toMatchObject({ stored: 2, corrected: 3, duplicates: 1 });
  });

  it("win over ours where the event is on another day", async () => {
    await sendSettled(sample("a", 60), sample("b", 61, "2026-05-05"));
    await append(sample("a", 60, "2026-06-01"));
    await append({ ...sample("b", 61, "2026-07-01"), zone: "Nowhere/Else", localDate: "2026-07-01" });
    model = new HealthModel();
    model.arrive(user, sample("a", 60, "2026-06-01"));
    model.arrive(user, sample("b", 61, "2026-07-01"));
    await lake.settle();
    expect(await lake.counts()).toMatchObject({ received: 4, stored: 2, corrected: 2 });
    expect(await lake.rows(lake.dataset.raw, ["sample_id"])).toHaveLength(2);
  });

  it("into a lake that has none of its own", async () => {
    await append(sample("x", 70), sample("x", 70), sample("y", 71));
    await expectModel();
    await sendSettled(sample("y", 71));
    await expectModel();
  });
});

describe("deletes of another engine", () => {
  it("count as deleted and free the identity", async () => {
    await sendSettled(sample("a", 60), sample("b", 61), sample("c", 62, "2026-03-02"));
    await remove("b");
    await expectModel();
    await sendSettled(sample("b", 61));
    await expectModel();
    expect(model.counts).toMatchObject({ stored: 4, deleted: 1, duplicates: 0 });
  });

  it("that write files anew count what is gone and what differs, not what they moved", async () => {
    await sendSettled(sample("a", 60), sample("b", 61), sample("c", 62, "2026-03-02"));
    await rewrite(
      "SELECT * REPLACE (CASE WHEN sample_id = 'c' THEN 99 ELSE value END AS value) FROM raw_rows WHERE sample_id <> 'b'",
    );
    model.remove(user, "b");
    model.arrive(user, sample("c", 99, "2026-03-02"));
    await expectModel();
  });
});

describe("what others commit", () => {
  it("while the writer is down is taken up once, whatever it has lost of its own", async () => {
    await sendSettled(sample("a", 60), sample("b", 61));
    await lake.restart({
      forget: true,
      between: async () => {
        await append(sample("x", 70), sample("a", 65));
        await remove("b");
        await send(sample("x", 71));
      },
    });
    await expectModel();
    await lake.restart({ forget: true });
    await expectModel();
  });

  it("is taken up against the key index where the snapshots between have expired", async () => {
    await sendSettled(sample("a", 60), sample("b", 61), sample("c", 62));
    await lake.restart({ between: () => appendAndExpire() });
    await expectModel();
    expect(model.counts).toMatchObject({ stored: 4, corrected: 1, duplicates: 0, deleted: 1 });
  });

  it("has no doubles and all dates where the key index is lost too", async () => {
    await sendSettled(sample("a", 60), sample("b", 61), sample("c", 62));
    await lake.restart({ forget: true, between: () => appendAndExpire() });
    await lake.settle();
    await expectAggregates(lake, model);
    const { received, ...outcomes } = await lake.counts();
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(received);
    expect(await lake.rows(lake.dataset.raw, ["sample_id"])).toHaveLength(3);
  });

  async function appendAndExpire(): Promise<void> {
    await append(sample("x", 70), sample("a", 65));
    await remove("b");
    const table = await raw();
    const current = currentSnapshot(table.metadata);
    const old = table.metadata.snapshots.filter((one) => one !== current).map((one) => one["snapshot-id"]);
    await expireSnapshots(lake.env, table, old);
  }

  it("and changes no row costs one empty commit", async () => {
    await sendSettled(sample("a", 60));
    await commitForeign({ operation: "replace", addedData: [] });
    await expectModel();
    const { metadata } = await raw();
    expect(currentSnapshot(metadata)?.summary?.[positionEntry]).toBeDefined();
    expect(metadata.properties[foreignReceivedProperty]).toBe("0");
  });
});
