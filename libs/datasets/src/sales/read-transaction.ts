import { parseDate } from "@firn/core";

import { optionalName, requiredText } from "../payload/read-fields.ts";
import { excerpt, wrongKind, type RecordProblems } from "../payload/record-problems.ts";
import type { JsonObject } from "../payload/read-payload.ts";
import type { RawRow } from "../payload/record-run.ts";

const YEAR_MIN = 1900;
const YEAR_MAX = 2199;
/** So that the sums of any day fit into 64 bits. */
const QUANTITY_MAX = 1_000_000_000;
/** Amount and quantity × unit price may differ by this much, in the table's currency. */
const AMOUNT_TOLERANCE = 0.01;
/** Rounding of the numbers themselves: 3 × 29.99 is not exactly 89.97. */
const ROUNDING = 1e-12;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** Fields that a sender's payload gives all of its transactions. */
export interface SalesFields {
  readonly source: string | null;
}

/** Reads a transaction against every rule of the lake. Fields that no rule names are ignored. */
export function readTransaction(transaction: JsonObject, fields: SalesFields, problems: RecordProblems): RawRow {
  const quantity = readQuantity(transaction["quantity"], problems);
  const unitPrice = readAmount(transaction["unit_price"], "unit_price", problems);
  const amount = readAmount(transaction["amount"], "amount", problems);
  const expected = quantity * unitPrice;
  if (Math.abs(amount - expected) > AMOUNT_TOLERANCE + ROUNDING * Math.abs(expected))
    problems.warn("amount_is_not_quantity_times_unit_price");
  return {
    transaction_id: requiredText(transaction["transaction_id"], "transaction_id", problems),
    transaction_date: readDate(transaction["transaction_date"], problems),
    product_id: readLong(transaction["product_id"], "product_id", problems),
    quantity,
    unit_price: unitPrice,
    amount,
    store: optionalName(transaction["store"], "store", problems),
    currency: readCurrency(transaction["currency"], problems),
    source: fields.source,
  };
}

/** Days since the epoch. */
function readDate(value: unknown, problems: RecordProblems): number {
  const rule = `a calendar date as YYYY-MM-DD, of the years ${YEAR_MIN}–${YEAR_MAX}`;
  if (typeof value !== "string") {
    problems.add(wrongKind("transaction_date", value, rule));
    return 0;
  }
  const year = Number(value.slice(0, 4));
  const days = /^\d{4}-\d{2}-\d{2}$/.test(value) ? parseDate(value) : undefined;
  if (days === undefined || Number.isNaN(days) || year < YEAR_MIN || year > YEAR_MAX) {
    problems.add(`transaction_date ${excerpt(value)} is no valid date: it must be ${rule}`);
    return 0;
  }
  return days;
}

function readQuantity(value: unknown, problems: RecordProblems): number {
  if (typeof value !== "number" || !Number.isInteger(value))
    problems.add(wrongKind("quantity", value, "a whole number"));
  else if (value === 0) problems.add("quantity is 0: it must not be 0, a refund is negative");
  else if (Math.abs(value) > QUANTITY_MAX)
    problems.add(`quantity ${value} is out of range: it must be within ±${QUANTITY_MAX}`);
  else return value;
  return 0;
}

function readAmount(value: unknown, field: string, problems: RecordProblems): number {
  // JSON has no other numbers, but 1e999 reads as Infinity.
  if (typeof value === "number" && Number.isFinite(value)) return value + 0;
  problems.add(wrongKind(field, value, "a finite number"));
  return 0;
}

/** A 64-bit number; beyond 2^53 as a text of digits, because a JSON number there has lost some. */
function readLong(value: unknown, field: string, problems: RecordProblems): number | string {
  const rule = "a whole number, beyond 2^53 as a text of digits";
  if (typeof value === "number" && Number.isSafeInteger(value)) return value + 0;
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) {
    const number = BigInt(value);
    if (number >= LONG_MIN && number <= LONG_MAX) return String(number);
  }
  problems.add(wrongKind(field, value, rule));
  return 0;
}

function readCurrency(value: unknown, problems: RecordProblems): string | null {
  if (value === undefined || value === null || value === "") return null;
  if (typeof value === "string" && /^[A-Z]{3}$/.test(value)) return value;
  problems.add(wrongKind("currency", value, "an ISO 4217 code of three capital letters where it is given"));
  return null;
}
