import { Readable } from "node:stream";

import type { CsvColumn, PayloadShape } from "@firn/core";
import { parse, type CsvError, type Info } from "csv-parse";

import type { PayloadLine, ReplaySource } from "../replay/payload-line.ts";

const RECORDS_PER_PAYLOAD = 500;
const RECORD_BYTES_MAX = 64 * 1024;
/** JSON's own form of a number: what is written otherwise goes as text, and is refused by the lake with its reason. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** The file has not the columns that the lake asks for. */
export class HeaderError extends Error {
  override readonly name = "HeaderError";
}

export interface RecordCsvOptions {
  /** Of a dataset whose records have a plain form. */
  readonly payload: PayloadShape;
  /** Where the rows are from, which they keep where the payload has a place for it. */
  readonly source: string;
  /** Told of every payload, with the line that each of its records stands on. */
  readonly onPayload: (payload: PayloadLine, lines: readonly number[]) => void;
}

/**
 * Records of a CSV file as payloads, in file order: columns in any order, a byte order mark, LF, CRLF or CR, and
 * quotes. Fields go as they stand; an empty one is absent.
 * @throws HeaderError, from `payloads`, when the first line is another
 */
export function recordCsv(
  chunks: () => AsyncIterable<Uint8Array>,
  { payload, source, onPayload }: RecordCsvOptions,
): ReplaySource {
  const problems: string[] = [];
  const { columns = [], source: sourceMember } = payload.csv ?? {};
  const begin = sourceMember === undefined ? "{" : `{${JSON.stringify(sourceMember)}:${JSON.stringify(source)},`;
  async function* payloads(): AsyncGenerator<readonly PayloadLine[]> {
    let header: readonly CsvColumn[] | undefined;
    let lines: number[] = [];
    let records: string[] = [];
    const close = (): PayloadLine[] => {
      if (records.length === 0) return [];
      const text = `${begin}${JSON.stringify(payload.records)}:[${records.join(",")}]}`;
      const bytes = Buffer.from(text, "utf8");
      const line = { bytes, userId: undefined, samples: records.length, position: lines[0]! };
      onPayload(line, lines);
      [lines, records] = [[], []];
      return [line];
    };
    for await (const { record, info } of readRecords(chunks(), problems)) {
      if (header === undefined) header = parseHeader(record, columns);
      else if (record.length !== header.length)
        problems.push(`line ${info.lines}: has ${record.length} fields: it must have ${header.length}`);
      else {
        records.push(recordJson(record, header));
        lines.push(info.lines);
        if (records.length >= RECORDS_PER_PAYLOAD) yield close();
      }
    }
    if (header === undefined) throw new HeaderError("the file is empty: its first line must name the columns");
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

function parseHeader(record: readonly string[], columns: readonly CsvColumn[]): readonly CsvColumn[] {
  const names = record.map((name) => name.toLowerCase());
  const required = columns.filter((column) => column.required);
  const found = names.flatMap((name) => columns.filter((column) => column.name === name));
  const isWhole = found.length === names.length && required.every((column) => found.includes(column));
  if (isWhole && new Set(names).size === names.length) return found;
  throw new HeaderError(
    `the first line is ${JSON.stringify(record.join(",").slice(0, 200))}: it must name ${required.map(({ name }) => name).join(", ")}`,
  );
}

function recordJson(record: readonly string[], columns: readonly CsvColumn[]): string {
  const members = record.flatMap((value, at) =>
    value === "" ? [] : [`${JSON.stringify(columns[at]!.name)}:${fieldJson(columns[at]!, value)}`],
  );
  return `{${members.join(",")}}`;
}

function fieldJson({ kind }: CsvColumn, value: string): string {
  if (kind === "text" || !NUMBER.test(value)) return JSON.stringify(value);
  return kind === "long" && !Number.isSafeInteger(Number(value)) ? JSON.stringify(value) : value;
}
