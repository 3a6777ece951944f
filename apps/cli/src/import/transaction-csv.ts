import { Readable } from "node:stream";

import { parse, type CsvError, type Info } from "csv-parse";

import type { PayloadLine, ReplaySource } from "../replay/payload-line.ts";

/** Columns of a file of transactions; those after the first six may be absent. */
export const TRANSACTION_COLUMNS = [
  "transaction_id",
  "transaction_date",
  "product_id",
  "quantity",
  "unit_price",
  "amount",
  "store",
  "currency",
] as const;
const REQUIRED = 6;
const NUMBERS: ReadonlySet<string> = new Set(["product_id", "quantity", "unit_price", "amount"]);
const TRANSACTIONS_PER_PAYLOAD = 500;
const RECORD_BYTES_MAX = 64 * 1024;
/** JSON's own form of a number: what is written otherwise goes as text, and is refused by the lake with its reason. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The file has not the header of a file of transactions. */
export class HeaderError extends Error {
  override readonly name = "HeaderError";
}

export interface TransactionCsvOptions {
  /** Name of the source, which the rows keep. */
  readonly source: string;
  /** Told of every payload, with the line that each of its transactions stands on. */
  readonly onPayload: (payload: PayloadLine, lines: readonly number[]) => void;
}

/**
 * Transactions of a CSV file as payloads, in file order: columns in any order, a byte order mark, LF, CRLF or CR, and
 * quotes. Fields go as they stand; an empty one is absent.
 * @throws HeaderError, from `payloads`, when the first line is another
 */
export function transactionCsv(
  chunks: () => AsyncIterable<Uint8Array>,
  { source, onPayload }: TransactionCsvOptions,
): ReplaySource {
  const problems: string[] = [];
  async function* payloads(): AsyncGenerator<readonly PayloadLine[]> {
    let columns: readonly string[] | undefined;
    let lines: number[] = [];
    let transactions: string[] = [];
    const close = (): PayloadLine[] => {
      if (transactions.length === 0) return [];
      const bytes = Buffer.from(
        `{"source":${JSON.stringify(source)},"transactions":[${transactions.join(",")}]}`,
        "utf8",
      );
      const payload = { bytes, userId: undefined, samples: transactions.length, position: lines[0]! };
      onPayload(payload, lines);
      [lines, transactions] = [[], []];
      return [payload];
    };
    for await (const { record, info } of readRecords(chunks(), problems)) {
      if (columns === undefined) columns = parseHeader(record);
      else if (record.length !== columns.length)
        problems.push(`line ${info.lines}: has ${record.length} fields: it must have ${columns.length}`);
      else {
        transactions.push(transactionJson(record, columns));
        lines.push(info.lines);
        if (transactions.length >= TRANSACTIONS_PER_PAYLOAD) yield close();
      }
    }
    if (columns === undefined) throw new HeaderError("the file is empty: its first line must name the columns");
    yield close();
  }
  return { kind: "csv", skipped: new Map(), problems, payloads };
}

function readRecords(chunks: AsyncIterable<Uint8Array>, problems: string[]) {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: RECORD_BYTES_MAX,
    trim: true,
    on_skip: (error: CsvError | undefined) =>
      void problems.push(`line ${error?.["lines"] ?? "?"}: ${error?.message ?? "cannot be read"}`),
  });
  return Readable.from(chunks, { objectMode: false }).pipe(parser) as AsyncIterable<{ record: string[]; info: Info }>;
}

function parseHeader(record: readonly string[]): readonly string[] {
  const names = record.map((name) => name.toLowerCase());
  const missing = TRANSACTION_COLUMNS.slice(0, REQUIRED).filter((name) => !names.includes(name));
  const unknown = names.filter(
    (name, at) => !(TRANSACTION_COLUMNS as readonly string[]).includes(name) || names.indexOf(name) !== at,
  );
  if (missing.length === 0 && unknown.length === 0) return names;
  const found = JSON.stringify(record.join(",").slice(0, 200));
  throw new HeaderError(
    `the first line is ${found}: it must name ${TRANSACTION_COLUMNS.slice(0, REQUIRED).join(", ")}`,
  );
}

function transactionJson(record: readonly string[], columns: readonly string[]): string {
  const members = record.flatMap((value, at) => {
    const name = columns[at]!;
    return value === "" ? [] : [`${JSON.stringify(name)}:${fieldJson(name, value)}`];
  });
  return `{${members.join(",")}}`;
}

function fieldJson(name: string, value: string): string {
  const isNumber = NUMBERS.has(name) && NUMBER.test(value);
  // A number of 64 bits keeps its digits as a text.
  if (isNumber && name === "product_id" && !Number.isSafeInteger(Number(value))) return JSON.stringify(value);
  return isNumber ? value : JSON.stringify(value);
}
