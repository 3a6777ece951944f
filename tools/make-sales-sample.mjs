// Makes samples/sales: transactions in the shape of the batch aggregation pattern's own (3 days of 333, 3 products,
// quantities 1 to 10, three prices), from a seed, so that the file is the same wherever it is made.
// Usage: node tools/make-sales-sample.mjs
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { helpIfAsked } from "./script-options.mjs";

const SEED = 42;
const DAYS = ["2025-01-14", "2025-01-15", "2025-01-16"];
const PER_DAY = 333;
const PRODUCTS = [101, 102, 103];
const QUANTITY_MAX = 10;
const PRICES = ["29.99", "49.99", "99.99"];

helpIfAsked();
const random = mulberry32(SEED);
const choice = (values) => values[Math.floor(random() * values.length)];
const rows = DAYS.flatMap((date, day) =>
  Array.from({ length: PER_DAY }, (_, n) => {
    const product = choice(PRODUCTS);
    const quantity = 1 + Math.floor(random() * QUANTITY_MAX);
    const price = choice(PRICES);
    const id = `tx-${String(day * PER_DAY + n + 1).padStart(6, "0")}`;
    return `${id},${date},${product},${quantity},${price},${(quantity * Number(price)).toFixed(2)}\n`;
  }),
);
const text = `transaction_id,transaction_date,product_id,quantity,unit_price,amount\n${rows.join("")}`;
const target = join(import.meta.dirname, "..", "samples", "sales");
writeFileSync(join(target, "transactions.csv"), text);
const sum = createHash("sha256").update(text).digest("hex");
writeFileSync(join(target, "SHA256SUMS"), `${sum}  transactions.csv\n`);
console.log(`${rows.length} transactions`);

/** A small generator of 32 bits of state; the same everywhere. */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
