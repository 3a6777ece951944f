import type { CsvColumn, PayloadShape } from "@firn/core";
import { emptyFile, HeaderError, readCsvRecords, type SkippedRecord } from "@firn/feeds";

import type { PayloadLine, ReplaySource } from "../replay/payload-line.ts";

const RECORDS_PER_PAYLOAD = 500;
/** JSON's own form of a number: what is written otherwise goes as text, and is refused by the lake with its reason. */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

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
  const skipped = ({ line, message }: SkippedRecord) => void problems.push(`line ${line}: ${message}`);
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
    for await (const { fields, line } of readCsvRecords(chunks(), skipped)) {
      if (header === undefined) header = parseHeader(fields, columns);
      else if (fields.length !== header.length)
        problems.push(`line ${line}: has ${fields.length} fields: it must have ${header.length}`);
      else {
        records.push(recordJson(fields, header));
        lines.push(line);
        if (records.length >= RECORDS_PER_PAYLOAD) yield close();
      }
    }
    if (header === undefined) throw emptyFile();
    yield close();
  }
  return { kind: "csv", skipped: new Map(), problems, payloads };
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
