import { OP_COLUMN, OP_RECORD, OP_TOMBSTONE, parseDate, recordTablesOf, tablesOf } from "@firn/core";
import { describe, expect, test } from "vitest";

import { createMarketDataset } from "./dataset.ts";

const dataset = createMarketDataset();
const processedAtUs = 1_700_000_000_000_000;

function run(...payloads: unknown[]) {
  const validation = dataset.beginRun({ strict: true, defaultZone: "UTC" }, processedAtUs);
  for (const payload of payloads) {
    validation.add({
      bytes: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
      encoding: "json",
      receivedAtUs: processedAtUs,
      origin: { kind: "http" },
      subject: "intake.market.0",
      shard: 0,
      sequence: 7,
    });
  }
  return validation.finish();
}

const price = { meta_id: 1, trade_date: "2024-02-29", close: 10, adj_close: 9.5, volume: 100 };

describe("tables", () => {
  test("are those of the four namespaces, with the partition fields of the reference", () => {
    const named = tablesOf(dataset).map(({ namespace, name, partition }) => [
      `${namespace}.${name}`,
      partition.map((field) => `${field.name} = ${field.transform}(${field.source})`).join(),
    ]);
    expect(Object.fromEntries(named)).toEqual({
      "market_data.us_stocks_price": "trade_month = month(trade_date)",
      "market_data.kr_stocks_price": "trade_month = month(trade_date)",
      "market_data.market_errors": "error_timestamp_day = day(error_timestamp),error_type = identity(error_type)",
      "portfolio.tb_nav": "trade_month = month(trade_date)",
      "portfolio.tb_rebalance": "rebal_year = year(rebal_date)",
      "analytics.tb_signals": "signal_date = identity(signal_date)",
      "analytics.tb_backtests": "run_date = identity(run_date)",
      "analytics.tb_factor_returns": "calc_month = month(calc_date)",
      "analytics.tb_metrics": "",
      "analytics.tb_quality": "check_month = month(check_date)",
      "reference.tb_macro_data": "base_month = month(base_date)",
      "reference.tb_calendar": "year = year(trade_date)",
      "reference.tb_exchange_rates": "date_month = month(rate_date)",
      "reference.tb_meta": "",
    });
  });

  test("are told apart by name, and their identities are required columns", () => {
    const names = tablesOf(dataset).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { definition, content } of recordTablesOf(dataset)) {
      for (const name of definition.identity)
        expect(definition.columns.find((column) => column.name === name)).toMatchObject({ required: true });
      expect(content).not.toContain("updated_at");
      expect(content).not.toContain("gross_return");
    }
  });
});

describe("rows", () => {
  test("of raw and of other tables go to their own columns, times filled in", () => {
    const { rows, others, received } = run(
      { table: "us_stocks_price", source: "test", rows: [price] },
      { table: "tb_nav", rows: [{ trade_date: "2024-01-02", port_id: 3, value: 1000.5 }] },
    );
    expect(received).toBe(2);
    expect(rows).toEqual({
      rows: 1,
      columns: {
        [OP_COLUMN]: [OP_RECORD],
        meta_id: [1],
        trade_date: [parseDate("2024-02-29")],
        close: [10],
        adj_close: [9.5],
        gross_return: [null],
        volume: [100],
        updated_at: [processedAtUs],
      },
    });
    expect([...others!.keys()]).toEqual(["tb_nav"]);
    expect(others!.get("tb_nav")).toMatchObject({ rows: 1, columns: { value: [1000.5], cash: [null] } });
  });

  test("that are deleted become tombstones, before the rows of the same payload", () => {
    const deleted = [{ meta_id: 1, trade_date: "2024-02-29" }];
    const { rows } = run({ table: "us_stocks_price", deleted, rows: [price] });
    expect(rows.columns[OP_COLUMN]).toEqual([OP_TOMBSTONE, OP_RECORD]);
    expect(rows.columns["close"]).toEqual([null, 10]);
  });

  test.each([
    [{ ...price, close: 0 }, "close is 0: it must be greater than 0"],
    [{ ...price, adj_close: -1 }, "adj_close is -1: it must be greater than 0"],
    [{ ...price, volume: 1.5 }, "volume is 1.5: it must be a whole number within ±2^53"],
    [{ ...price, volume: -1 }, "volume is -1: it must be at least 0"],
    [{ ...price, trade_date: "2023-02-29" }, 'trade_date is "2023-02-29": it must be a date YYYY-MM-DD'],
    [{ ...price, trade_date: "0024-02-29" }, "between 1900 and 2199"],
    [{ ...price, meta_id: "1" }, 'meta_id is "1": it must be a whole number of 32 bits'],
    [{ ...price, meta_id: 2 ** 31 }, "meta_id is 2147483648"],
    [{ ...price, meta_id: undefined }, "meta_id is missing: it is required"],
    [{ ...price, gross_return: 0.1 }, "gross_return is given: it is computed from the rows and must be left out"],
    [{ ...price, price: 1 }, "price is no field of the table"],
    [{ ...price, updated_at: "yesterday" }, 'updated_at "yesterday"'],
    [[price], "row is an array: it must be an object"],
    ["x", 'row is "x": it must be an object'],
  ])("that break a rule are dead letters with field and rule, and the others go on: %j", (row, message) => {
    const { rows, rejected, received } = run({ table: "us_stocks_price", rows: [row, price] });
    expect(received).toBe(2);
    expect(rows.rows).toBe(1);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]!.error_message).toContain(message);
    expect(rejected[0]).toMatchObject({ error_type: "validation_error", data_type: "us_stocks_price" });
    expect(rejected[0]!.raw_payload).toBe(JSON.stringify(row));
  });

  test("a key that stands twice is a dead letter", () => {
    const { rejected } = run(
      `{"table":"us_stocks_price","rows":[{"meta_id":1,"meta_id":2,"trade_date":"2024-01-02"}]}`,
    );
    expect(rejected[0]!.error_message).toContain("meta_id is a duplicate key");
  });
});

test.each([
  [{ rows: [] }, "table is missing"],
  [{ table: "nope", rows: [] }, "table must be one of us_stocks_price, kr_stocks_price"],
  [{ table: "tb_nav" }, "rows is missing"],
  [{ table: "tb_nav", rows: {} }, "rows must be an array"],
  [{ table: "tb_nav", rows: [], extra: 1 }, '"extra" is not a known field'],
  [[], "the payload must be an object"],
])("an envelope that is none is refused with field and rule: %j", (payload, message) => {
  const check = dataset.checkEnvelope(payload);
  expect(check.ok).toBe(false);
  if (!check.ok) expect(check.problems.map((problem) => problem.message).join()).toContain(message);
});
