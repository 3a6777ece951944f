import { Readable } from "node:stream";

import { parse, type CsvError } from "csv-parse";

const RECORD_BYTES_MAX = 64 * 1024;

/** The first line of a file is not the header that it must have. */
export class HeaderError extends Error {
  override readonly name = "HeaderError";
}

export interface CsvRecord {
  /** As they stand, without blanks around them. */
  readonly fields: readonly string[];
  /** Of the file, from 1; a record that spans lines is named by its last. */
  readonly line: number;
}

/** A record that cannot be read. */
export interface SkippedRecord {
  /** 0 where it is not known. */
  readonly line: number;
  /** `has a stray quote`, or that it is too long. */
  readonly why: string;
  /** In the parser's words. */
  readonly message: string;
}

/**
 * The records of a CSV file, the header among them: a byte order mark, LF, CRLF or CR, and quotes. Empty lines are
 * passed over.
 * @param skipped told of each record that cannot be read, before the one after it comes
 */
export async function* readCsvRecords(
  chunks: AsyncIterable<Uint8Array>,
  skipped: (record: SkippedRecord) => void,
): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: RECORD_BYTES_MAX,
    trim: true,
    on_skip: (error) => void skipped(skippedRecord(error)),
  });
  const records = Readable.from(chunks, { objectMode: false }).pipe(parser) as AsyncIterable<{
    record: string[];
    info: { lines: number };
  }>;
  for await (const { record, info } of records) yield { fields: record, line: info.lines };
}

/** A file without even a header. */
export function emptyFile(): HeaderError {
  return new HeaderError("the file is empty: its first line must name the columns");
}

function skippedRecord(error: CsvError | undefined): SkippedRecord {
  const { lines } = (error ?? {}) as { lines?: number };
  const isLong = error?.code === "CSV_MAX_RECORD_SIZE";
  return {
    line: lines ?? 0,
    why: isLong ? `is longer than ${RECORD_BYTES_MAX} bytes` : "has a stray quote",
    message: error?.message ?? "unreadable",
  };
}
