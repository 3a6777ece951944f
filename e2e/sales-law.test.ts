import { createSalesDataset } from "@firn/datasets";
import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { InProcessLake } from "./support/in-process-lake.ts";

/**
 * The law of sales: whatever comes in whatever order, twice or corrected, the tables equal a recomputation from the
 * unique latest transactions; and making the summary anew in one batch changes nothing of what the stream made.
 */
interface Transaction {
  readonly transaction_id: string;
  readonly transaction_date: string;
  readonly product_id: number | string;
  readonly quantity: number;
  readonly unit_price: number;
  readonly amount: number;
  readonly store?: string;
}

const transaction: fc.Arbitrary<Transaction> = fc
  .record({
    transaction_id: fc.constantFrom("a", "b", "c", "ä", "a\u0308", "🫀", "__proto__", "d", "e"),
    transaction_date: fc.constantFrom(
      "1969-12-31",
      "2024-02-29",
      "2025-01-14",
      "2025-01-15",
      "2025-01-31",
      "2025-02-01",
    ),
    product_id: fc.constantFrom<number | string>(101, "9007199254740993", "9007199254740992"),
    // Few values, so that arrivals of one identity often differ in a single field: a correction of the date, say.
    quantity: fc.constantFrom(1, 3, -2),
    unit_price: fc.constantFrom(29.99, 99.99),
    store: fc.constantFrom("Bern", undefined),
  })
  .map(({ store, ...rest }) => ({
    ...rest,
    amount: rest.quantity * rest.unit_price,
    ...(store === undefined ? {} : { store }),
  }));

const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(transaction, { minLength: 1, maxLength: 12 }).map((sent) => ({ kind: "send" as const, sent })),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "settle" as const }) },
  { weight: 1, arbitrary: fc.boolean().map((forget) => ({ kind: "restart" as const, forget })) },
  { weight: 1, arbitrary: fc.constant({ kind: "rebuild" as const }) },
  { weight: 2, arbitrary: fc.nat().map((pick) => ({ kind: "again" as const, pick })) },
);

let lake: InProcessLake | undefined;
afterEach(async () => {
  await lake?.close();
  lake = undefined;
});

it("tables equal the recomputation from the unique latest transactions", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 3, maxLength: 12 }), fc.boolean(), async (events, maintain) => {
      lake = await InProcessLake.open({ maintain, dataset: createSalesDataset() });
      const model = new SalesModel();
      const sent: Transaction[][] = [];
      const send = async (transactions: Transaction[]) => {
        await lake?.send([{ source: "till", transactions }]);
        for (const one of transactions) model.arrive(one);
      };
      for (const one of events) {
        if (one.kind === "settle") await lake.settle();
        else if (one.kind === "restart") await lake.restart({ forget: one.forget });
        else if (one.kind === "rebuild") {
          if (sent.length > 0) await lake.rebuild();
        } else if (one.kind === "again") {
          const again = sent[one.pick % Math.max(1, sent.length)];
          if (again) await send(again);
        } else {
          sent.push(one.sent);
          await send(one.sent);
        }
      }
      await lake.settle();
      expect(await lake.counts()).toMatchObject(model.counts);
      await expectTables(lake, model);
      if (sent.length > 0) {
        const { rows } = await lake.rebuild();
        expect(rows, "rows that the batch makes otherwise than the stream").toBe(0);
      }
      await lake.close();
      lake = undefined;
    }),
    { numRuns: Number(process.env["FIRN_LAW_RUNS"] ?? 12) },
  );
}, 400_000);

class SalesModel {
  readonly #latest = new Map<string, Transaction>();
  readonly counts = { received: 0, stored: 0, corrected: 0, duplicates: 0, deleted: 0, rejected: 0 };

  arrive(one: Transaction): void {
    const known = this.#latest.get(one.transaction_id);
    this.counts.received++;
    if (known === undefined) this.counts.stored++;
    else if (contentOf(known) === contentOf(one)) this.counts.duplicates++;
    else this.counts.corrected++;
    this.#latest.set(one.transaction_id, one);
  }

  transactions(): Transaction[] {
    return [...this.#latest.values()];
  }

  summary(): Map<string, { count: number; quantity: number; amounts: number[] }> {
    const groups = new Map<string, { count: number; quantity: number; amounts: number[] }>();
    for (const one of this.#latest.values()) {
      const key = `${one.transaction_date} ${one.product_id}`;
      const group = groups.get(key) ?? { count: 0, quantity: 0, amounts: [] };
      group.count++;
      group.quantity += one.quantity;
      group.amounts.push(one.amount);
      groups.set(key, group);
    }
    return groups;
  }
}

const contentOf = ({ transaction_date, product_id, quantity, unit_price, store }: Transaction) =>
  JSON.stringify([transaction_date, String(product_id), quantity, unit_price, store]);

const dateOf = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);

async function expectTables(of: InProcessLake, model: SalesModel): Promise<void> {
  const summary = of.dataset.rollups[0]!.table;
  const raw = await of.rows<Record<string, string | number | bigint>>(of.dataset.raw);
  const found = raw.map((row) => [
    row["transaction_id"],
    dateOf(Number(row["transaction_date"])),
    String(row["product_id"]),
    row["quantity"],
    row["amount"],
  ]);
  const expected = model
    .transactions()
    .map((one) => [one.transaction_id, one.transaction_date, String(one.product_id), one.quantity, one.amount]);
  expect(sorted(found)).toEqual(sorted(expected));
  const rows = await of.rows<Record<string, number | bigint>>(summary);
  const groups = model.summary();
  expect(rows.length).toBe(groups.size);
  for (const row of rows) {
    const key = `${dateOf(Number(row["transaction_date"]))} ${row["product_id"]}`;
    const group = groups.get(key);
    if (!group) throw new Error(`the summary has ${key}, which no transaction is of`);
    const total = group.amounts.reduce((sum, amount) => sum + amount, 0);
    const near = (value: unknown, wanted: number) =>
      expect(Math.abs(Number(value) - wanted), key).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
    expect(row, key).toMatchObject({
      transaction_count: group.count,
      total_quantity: group.quantity,
      max_transaction_value: Math.max(...group.amounts),
      min_transaction_value: Math.min(...group.amounts),
    });
    near(row["total_revenue"], total);
    near(row["avg_transaction_value"], total / group.count);
  }
}

function sorted<T>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
