import { describe, expect, it } from "vitest";
import { datasets } from "@firn/datasets";
import { HeaderError } from "@firn/feeds";
import { recordCsv } from "./record-csv.ts";

const { payload } = datasets.get("sales")!;

async function read(text: string) {
  const lines: number[] = [];
  const chunks = () =>
    (async function* () {
      // Cut in the middle of characters and line ends.
      const bytes = Buffer.from(text, "utf8");
      for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
    })();
  const source = recordCsv(chunks, { payload, source: "f", onPayload: (_, of) => lines.push(...of) });
  const transactions: unknown[] = [];
  const texts: string[] = [];
  for await (const batch of source.payloads())
    for (const { bytes } of batch) {
      texts.push(Buffer.from(bytes).toString("utf8"));
      transactions.push(...(JSON.parse(texts.at(-1)!) as { transactions: unknown[] }).transactions);
    }
  return { transactions, lines, texts, problems: source.problems };
}

const HEADER = "transaction_id,transaction_date,product_id,quantity,unit_price,amount";

describe("a file of transactions", () => {
  it.each(["\n", "\r\n", "\r"])("may have line ends %j, a byte order mark, quotes and more columns", async (end) => {
    const rows = [
      "\uFEFFstore," + HEADER,
      '"Bern, ""Alt""",t-1,2025-01-14,101,3,29.99,89.97',
      "",
      ",ä,2025-01-15,9007199254740993,-1,1e2,-100",
    ];
    const { transactions, lines, problems } = await read(rows.join(end));
    expect(transactions).toEqual([
      {
        store: 'Bern, "Alt"',
        transaction_id: "t-1",
        transaction_date: "2025-01-14",
        product_id: 101,
        quantity: 3,
        unit_price: 29.99,
        amount: 89.97,
      },
      {
        transaction_id: "ä",
        transaction_date: "2025-01-15",
        product_id: "9007199254740993",
        quantity: -1,
        unit_price: 100,
        amount: -100,
      },
    ]);
    expect(lines).toHaveLength(2);
    expect(problems).toEqual([]);
  });

  it("sends what is no number as it stands, and keeps the digits of one", async () => {
    const { texts } = await read(`${HEADER}\nt,2025-01-14,x,01,0.10,NaN\n`);
    expect(texts[0]).toContain('"product_id":"x","quantity":"01","unit_price":0.10,"amount":"NaN"');
  });

  it("names a row of another length by its line, and goes on", async () => {
    const { transactions, lines, problems } = await read(`${HEADER}\nt-1,2025-01-14\nt-2,2025-01-14,1,1,1,1\n`);
    expect(problems).toEqual(["line 2: has 2 fields: it must have 6"]);
    expect([transactions.length, lines]).toEqual([1, [3]]);
  });

  it.each(["", "a,b\n", `${HEADER},colour\n`, `${HEADER},amount\n`])(
    "is refused with another header: %j",
    async (text) => {
      await expect(read(text)).rejects.toThrow(HeaderError);
    },
  );

  it("is cut into payloads of 500", async () => {
    const rows = Array.from({ length: 1_001 }, (_, n) => `t-${n},2025-01-14,1,1,1,1`);
    const { texts, transactions } = await read([HEADER, ...rows].join("\n"));
    expect([texts.length, transactions.length]).toEqual([3, 1_001]);
  });
});
