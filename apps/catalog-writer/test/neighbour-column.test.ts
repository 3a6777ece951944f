import { encodeColumnBatch, OP_RECORD, OP_TOMBSTONE, type RecordTable } from "@firn/core";
import { marketTables } from "@firn/datasets";
import {
  definedIdentifier,
  type KernelConnection,
  lakeEnvironment,
  type LakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  planScan,
  scanSql,
} from "@firn/lake";
import { MemoryLogs, STATE_BUCKET } from "@firn/stream";
import { type LocalKernel, openLocalKernel } from "@firn/testing";
import * as fc from "fast-check";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Batch } from "../src/batch.ts";
import { KeyIndex } from "../src/key-index/key-index.ts";
import { KeyedTable } from "../src/keyed-table.ts";
import { KnownTables } from "../src/known-tables.ts";

const prices: RecordTable = marketTables().usPrices;
const subject = "accepted.market.0";

let local: LocalKernel;
let connection: KernelConnection;

beforeAll(async () => {
  local = await openLocalKernel("neighbours", { memoryLimitMb: 256 });
  ({ connection } = local);
});
afterAll(() => local?.close());

/** A price, or with `gone` the end of one. Days count from 2020-01-01. */
interface Arrival {
  readonly metaId: number;
  readonly day: number;
  readonly price: number | null;
  readonly gone: boolean;
}

const day0 = 18_262;
let lakes = 0;

class PriceTable {
  readonly env: LakeEnvironment;
  readonly #table: KeyedTable;
  readonly #index: KeyIndex;
  #sequence = 0;

  private constructor(env: LakeEnvironment, table: KeyedTable, index: KeyIndex) {
    this.env = env;
    this.#table = table;
    this.#index = index;
  }

  static async open(): Promise<PriceTable> {
    const path = join(local.folder, String(lakes++));
    const store = await openFileStore({ root: join(path, "warehouse") });
    const env = lakeEnvironment({ catalog: new MemoryCatalog({ warehouse: store.root }), store });
    const state = await new MemoryLogs().attempts(STATE_BUCKET);
    await new KnownTables(env, state).findOrMake(prices.definition);
    const index = KeyIndex.open(join(path, "index"));
    const table = await KeyedTable.open({
      ...prices,
      identity: prices.definition.identity,
      derived: prices.derived!,
      env,
      connection,
      index,
      identifier: definedIdentifier(prices.definition),
      stream: "VALIDATED",
      subjects: [subject],
      writerEpoch: "test",
      newRowsCountAs: "stored",
    });
    return new PriceTable(env, table, index);
  }

  async commit(arrivals: readonly Arrival[]) {
    const sequence = ++this.#sequence;
    const batch = new Batch({
      connection,
      shape: { ...prices, identity: prices.definition.identity },
      index: this.#index,
      kind: "accepted",
      file: join(local.folder, "messages.json"),
      name: `batch_${lakes}_${sequence}`,
    });
    const of = <T>(value: (arrival: Arrival) => T) => arrivals.map(value);
    const data = encodeColumnBatch("market", {
      rows: arrivals.length,
      columns: {
        _op: of(({ gone }) => (gone ? OP_TOMBSTONE : OP_RECORD)),
        meta_id: of(({ metaId }) => metaId),
        trade_date: of(({ day }) => day0 + day),
        close: of(({ gone, price }) => (gone ? null : price)),
        adj_close: of(({ gone, price }) => (gone ? null : price)),
        gross_return: of(() => null),
        volume: of(() => null),
        updated_at: of(() => sequence),
      },
    });
    batch.add({ subject, sequence, data, headers: {}, timestampMs: 0 }, 0);
    try {
      return await this.#table.commit(batch, "stream");
    } finally {
      await batch.drop();
    }
  }

  async rows() {
    const table = await loadTable(this.env, definedIdentifier(prices.definition));
    const scan = await scanSql(await planScan({ env: this.env, table }), { store: this.env.store });
    return connection.rows<{ meta_id: number; day: number; adj_close: number | null; gross_return: number | null }>(
      `SELECT meta_id, trade_date - DATE '2020-01-01' AS day, adj_close, gross_return FROM (${scan})
       ORDER BY meta_id, trade_date`,
    );
  }

  async close() {
    await this.#index.close();
  }
}

/** What the table must hold: the last arrival of each identity, each return from the row before it. */
function expected(arrivals: readonly Arrival[]) {
  const last = new Map(arrivals.map((arrival) => [`${arrival.metaId} ${arrival.day}`, arrival]));
  const rows = [...last.values()].filter(({ gone }) => !gone);
  rows.sort((one, other) => one.metaId - other.metaId || one.day - other.day);
  return rows.map(({ metaId, day, price }, at) => {
    const before = rows[at - 1]?.metaId === metaId ? rows[at - 1]!.price : null;
    const gross_return = price === null || before === null ? null : price / before - 1;
    return { meta_id: metaId, day, adj_close: price, gross_return };
  });
}

const price = (metaId: number, day: number, value: number): Arrival => ({ metaId, day, price: value, gone: false });

test("a corrected price also changes the next day's return, in the same commit; others stay as they are", async () => {
  const table = await PriceTable.open();
  const first = [price(1, 0, 10), price(1, 1, 11), price(1, 2, 12), price(2, 1, 5)];
  await table.commit(first);
  const correction = price(1, 1, 20);
  const report = await table.commit([correction]);
  expect(await table.rows()).toEqual(expected([...first, correction]));
  expect(report).toMatchObject({ corrected: 1, duplicates: 0 });
  await table.close();
});

test("a day fetched twice is stored once, and its return stays", async () => {
  const table = await PriceTable.open();
  await table.commit([price(1, 0, 10), price(1, 1, 11)]);
  expect(await table.commit([price(1, 1, 11)])).toMatchObject({ duplicates: 1, rowsAdded: 0 });
  expect((await table.rows())[1]!.gross_return).toBe(11 / 10 - 1);
  await table.close();
});

test("the neighbour is found however far it is, and in another partition", async () => {
  const table = await PriceTable.open();
  const all = [price(1, 0, 10), price(1, 900, 30), price(1, 400, 20)];
  for (const arrival of all) await table.commit([arrival]);
  expect(await table.rows()).toEqual(expected(all));
  const gone = { ...price(1, 400, 0), gone: true };
  await table.commit([gone]);
  expect(await table.rows()).toEqual(expected([...all, gone]));
  await table.close();
});

test("whatever comes in whatever order, every return equals a recomputation from the whole table", async () => {
  const arrival = fc.record({
    metaId: fc.integer({ min: 1, max: 3 }),
    day: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 300 })),
    price: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    gone: fc.boolean().map((gone) => gone),
  });
  const mostlyStays = arrival.chain((one) => fc.nat({ max: 4 }).map((n) => ({ ...one, gone: one.gone && n === 0 })));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(mostlyStays, { minLength: 1, maxLength: 8 }), { maxLength: 5 }),
      async (batches) => {
        const table = await PriceTable.open();
        for (const batch of batches) await table.commit(batch);
        expect(await table.rows()).toEqual(expected(batches.flat()));
        await table.close();
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
