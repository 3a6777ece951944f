import { parseDate, parseInstantUs, type DeadLetter, type ValidatedRun } from "@firn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createSalesDataset } from "../../src/sales/dataset.ts";

const sales = createSalesDataset();
const PROCESSED_US = parseInstantUs("2026-03-01T00:00:00Z");

const SALE = {
  transaction_id: "t-1",
  transaction_date: "2025-01-14",
  product_id: 101,
  quantity: 3,
  unit_price: 29.99,
  amount: 89.97,
};

function validate(payload: unknown): ValidatedRun {
  const run = sales.beginRun({ strict: true, defaultZone: "UTC" }, PROCESSED_US);
  const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
  const origin = { kind: "http" } as const;
  run.add({ bytes, encoding: "json", receivedAtUs: 0, origin, subject: "intake.sales.2", shard: 2, sequence: 77 });
  const done = run.finish();
  expect(done.received).toBe(done.rows.rows + done.rejected.length);
  for (const column of Object.values(done.rows.columns)) expect(column).toHaveLength(done.rows.rows);
  return done;
}

const accepted = (change: object): Record<string, unknown> => {
  const done = validate({ source: "till-1", transactions: [{ ...SALE, ...change }] });
  expect(done.rejected).toEqual([]);
  return Object.fromEntries(Object.entries(done.rows.columns).map(([name, values]) => [name, values[0]]));
};

const refused = (transaction: unknown): DeadLetter => {
  const done = validate({ source: "till-1", transactions: [transaction] });
  expect(done.rows.rows).toBe(0);
  return done.rejected[0]!;
};

describe("a transaction", () => {
  it("becomes a row", () => {
    expect(accepted({ store: "Bern", currency: "CHF" })).toEqual({
      _op: 0,
      transaction_id: "t-1",
      transaction_date: parseDate("2025-01-14"),
      product_id: 101,
      quantity: 3,
      unit_price: 29.99,
      amount: 89.97,
      store: "Bern",
      currency: "CHF",
      source: "till-1",
    });
  });

  it("may be a refund, of a product with a number beyond 2^53", () => {
    expect(accepted({ quantity: -3, amount: -89.97 })).toMatchObject({ quantity: -3, amount: -89.97 });
    expect(accepted({ product_id: "9223372036854775807" })).toMatchObject({ product_id: "9223372036854775807" });
    expect(accepted({ product_id: "0042" })).toMatchObject({ product_id: "42" });
  });

  it.each([
    [{ amount: 89.98 }, 0],
    [{ amount: 89.96 }, 0],
    [{ amount: 89.981 }, 1],
    [{ amount: 80 }, 1],
    [{ quantity: 1_000_000, unit_price: 29.99, amount: 29_990_000 }, 0],
  ])("whose amount is not quantity × unit price is stored with a warning: %j", (change, warnings) => {
    const { warnings: found, rows } = validate({ transactions: [{ ...SALE, ...change }] });
    expect(rows.rows).toBe(1);
    expect(found.get("amount_is_not_quantity_times_unit_price") ?? 0).toBe(warnings);
  });

  it.each([
    [{ transaction_id: "" }, "transaction_id is empty"],
    [{ transaction_id: 7 }, "transaction_id is 7: it must be a string"],
    [{ transaction_date: "2025-02-29" }, 'transaction_date "2025-02-29" is no valid date'],
    [{ transaction_date: "2025-1-2" }, "is no valid date"],
    [{ transaction_date: "1899-12-31" }, "of the years 1900–2199"],
    [{ transaction_date: undefined }, "transaction_date is missing"],
    [{ product_id: 9007199254740992 }, "beyond 2^53 as a text of digits"],
    [{ product_id: "9223372036854775808" }, "product_id is"],
    [{ product_id: 1.5 }, "product_id is 1.5: it must be a whole number"],
    [{ quantity: 0 }, "quantity is 0: it must not be 0"],
    [{ quantity: 1.5 }, "quantity is 1.5: it must be a whole number"],
    [{ quantity: 1_000_000_001 }, "quantity 1000000001 is out of range"],
    [{ unit_price: "29.99" }, 'unit_price is "29.99": it must be a finite number'],
    [{ amount: null }, "amount is null: it must be a finite number"],
    [{ currency: "eur" }, "currency is"],
    [{ store: 5 }, "store is 5: it must be a string"],
  ])("that breaks a rule is refused with a message: %j", (change, message) => {
    const letter = refused({ ...SALE, ...change });
    expect(letter).toMatchObject({ error_type: "validation_error", user_id: null, device_id: "till-1" });
    expect(letter.error_message).toContain(message);
    expect(letter.raw_payload).toBe(JSON.stringify({ ...SALE, ...change }));
  });

  it("that no number can hold is refused with its bytes", () => {
    const text = JSON.stringify(SALE).replace("89.97", "1e999");
    const [letter] = validate(`{"transactions":[${text}]}`).rejected;
    expect(letter).toMatchObject({ sample_id: "t-1", raw_payload: text });
    expect(letter?.error_message).toContain("amount is Infinity: it must be a finite number");
  });

  it("with a key twice or that is no object is refused, the others go on", () => {
    const double = '{"transaction_id":"a","transaction_id":"b"}';
    const done = validate(`{"transactions":[${double},3,${JSON.stringify(SALE)}]}`);
    expect(done.rows.rows).toBe(1);
    expect(done.rejected.map((letter) => [letter.raw_payload, letter.error_message.split(":")[0]])).toEqual([
      [double, "transaction_id is a duplicate key"],
      ["3", "transaction is 3"],
    ]);
  });
});

describe("a payload", () => {
  it.each([
    ["{", "deserialization_error"],
    ["[]", "schema_error"],
    ['{"transactions":5}', "schema_error"],
    ['{"source":5,"transactions":[]}', "schema_error"],
    ['{"transactions":[],"transactions":[]}', "validation_error"],
  ])("that cannot be read is one dead letter: %s", (text, type) => {
    const done = validate(text);
    expect(done.rejected).toMatchObject([{ error_type: type, raw_payload: text }]);
  });

  it("loses no record, whatever is in it", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.constant(SALE))), (transactions) => {
        expect(validate({ transactions }).received).toBe(transactions.length);
      }),
    );
  });

  it("says which shard each transaction belongs to", () => {
    const envelope = sales.checkEnvelope({ transactions: [SALE, { ...SALE, transaction_id: "x" }, null, {}] });
    expect(envelope).toMatchObject({ ok: true, records: 4, byRecord: { keys: ["t-1", "x", "", ""] } });
  });
});
