import type { QuestionReply } from "@firn/client";
import { createSalesDataset } from "@firn/datasets";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AskedLake, askedLake } from "./support/asked-lake.ts";
import { InProcessLake } from "./support/in-process-lake.ts";

type SalesComparison = QuestionReply<"sales.compare">["data"];

/** The questions of the sales lake, over what the stages made of transactions. */
const BIG = "9007199254740993";
let lake: InProcessLake;
let asked: AskedLake;
beforeAll(async () => {
  lake = await InProcessLake.open({ dataset: createSalesDataset() });
  asked = await askedLake(lake);
  const days = ["2025-01-14", "2025-01-15", "2025-02-01"];
  const transactions = days.flatMap((transaction_date, day) =>
    [101, 102, BIG].flatMap((product_id, at) =>
      Array.from({ length: 10 }, (_, n) => ({
        transaction_id: `t-${day}-${at}-${n}`,
        transaction_date,
        product_id,
        quantity: n === 3 ? -1 : n + 1,
        unit_price: 0.1,
        amount: (n === 3 ? -1 : n + 1) * 0.1,
      })),
    ),
  );
  await lake.send([{ source: "till", transactions: [...transactions, { ...transactions[0], quantity: 0 }] }]);
  await lake.settle();
});
afterAll(async () => {
  await asked.close();
  await lake.close();
});

describe("the sales questions", () => {
  it("answer the daily summary by date and product", async () => {
    const { data } = await asked.ask("/api/sales/daily-summary", { start_date: "2025-01-15", end_date: "2025-01-31" });
    expect(data).toEqual(
      [101, 102, BIG].map((product_id) => ({
        transaction_date: "2025-01-15",
        product_id,
        transaction_count: 10,
        total_quantity: 50,
        total_revenue: 5,
        avg_transaction_value: 0.5,
        max_transaction_value: 1,
        min_transaction_value: -0.1,
      })),
    );
    const one = await asked.ask("/api/sales/daily-summary", { product_id: [BIG], limit: 2 });
    expect(one.data.map((row) => row["transaction_date"])).toEqual(["2025-01-14", "2025-01-15"]);
    const next = await asked.ask("/api/sales/daily-summary", { product_id: [BIG], limit: 2, cursor: one.page.cursor });
    expect(next.data).toMatchObject([{ transaction_date: "2025-02-01", product_id: BIG }]);
    expect(next.page.cursor).toBeNull();
  });

  it.each(["raw", "summary"])("answer revenue from %s", async (source) => {
    const near = (value: number) => expect.closeTo(value, 9) as number;
    const { data } = await asked.ask("/api/sales/revenue", { source });
    expect(data).toEqual([101, 102, BIG].map((product_id) => ({ product_id, total_revenue: near(15) })));
    const some = await asked.ask("/api/sales/revenue", { source, product_id: "102,999", end_date: "2025-01-15" });
    expect(some.data).toEqual([{ product_id: 102, total_revenue: near(10) }]);
    expect((await asked.ask("/api/sales/revenue", { source, start_date: "2026-01-01" })).data).toEqual([]);
    const first = await asked.ask("/api/sales/revenue", { source, limit: 2 });
    const rest = await asked.ask("/api/sales/revenue", { source, limit: 2, cursor: first.page.cursor });
    expect(rest.data).toMatchObject([{ product_id: BIG }]);
  });

  it("compare what both cost, never from what was kept", async () => {
    for (let time = 0; time < 2; time++) {
      const { data } = await asked.ask<SalesComparison>("/api/sales/compare", { start_date: "2025-01-15" });
      expect(data).toEqual({
        raw: { rows: 60, bytes: expect.any(Number) as number, elapsed_ms: expect.any(Number) as number },
        summary: { rows: 6, bytes: expect.any(Number) as number, elapsed_ms: expect.any(Number) as number },
        equal: true,
      });
      expect(data.raw.bytes).toBeGreaterThan(0);
      expect(data.summary.elapsed_ms).toBeGreaterThan(0);
    }
    expect((await asked.ask<SalesComparison>("/api/sales/compare", { start_date: "2026-01-01" })).data).toEqual({
      raw: { rows: 0, bytes: 0, elapsed_ms: 0 },
      summary: { rows: 0, bytes: 0, elapsed_ms: 0 },
      equal: true,
    });
  });

  it("name the dead letters, and what is wrong with a parameter", async () => {
    const { data } = await asked.ask("/api/sales/errors");
    expect(data).toMatchObject([{ sample_id: "t-0-0-0", device_id: "till", error_type: "validation_error" }]);
    await expect(asked.ask("/api/sales/revenue", { source: "both" })).rejects.toThrow("must be one of summary, raw");
    await expect(asked.ask("/api/sales/revenue", { product_id: "9223372036854775808" })).rejects.toThrow("64 bits");
    await expect(asked.ask("/api/sales/revenue", { start_date: "2025-02-01", end_date: "2025-01-01" })).rejects.toThrow(
      "start_date",
    );
    await expect(asked.ask("/api/sales/daily-summary", { store: "Bern" })).rejects.toThrow("store");
  });
});
