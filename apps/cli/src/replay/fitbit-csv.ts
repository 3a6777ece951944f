import { findZone, type Zone } from "@firn/core";
import { parse } from "csv-parse";

import { CommandError, EXIT } from "../exit-code.ts";
import { fitbitKinds, normalHeader, type FitbitKind, type FitbitRow } from "./fitbit-kinds.ts";
import { PayloadBuilder, type PayloadLine, type ReplaySource } from "./payload-line.ts";

export interface FitbitOptions {
  /** All rows under this user instead of their `Id`. */
  readonly user?: string;
  readonly device?: string;
  readonly timezone?: string;
}

/**
 * Where most of the people live that the public Fitbit set was collected from (Amazon Mechanical Turk); its times are
 * local and name no zone.
 */
const FITBIT_TIMEZONE = "America/New_York";

const ROWS_PER_STEP = 1000;

/** The kind of Fitbit file that a header line belongs to. */
export function fitbitKindOf(headerLine: string): FitbitKind | undefined {
  const header = new Set(headerLine.split(",").map(normalHeader));
  return fitbitKinds.find((kind) => kind.columns.every((column) => header.has(column)));
}

/** Rows of a Fitbit CSV file as samples; `chunks` is the unpacked file. */
export function fitbitSource(
  kind: FitbitKind,
  chunks: () => AsyncIterable<Buffer>,
  options: FitbitOptions,
): ReplaySource {
  const zone = localZone(options.timezone ?? FITBIT_TIMEZONE);
  return {
    kind: "fitbit-csv",
    skipped: new Map(),
    problems: [],
    payloads: () => readPayloads(kind, chunks(), zone, options),
  };
}

function localZone(name: string): Zone {
  const zone = findZone(name);
  if (zone !== undefined) return zone;
  throw new CommandError(EXIT.usage, `--timezone ${name}: the time-zone database knows no zone of that name`, {
    fix: "Name an IANA zone such as Europe/Berlin",
  });
}

async function* readPayloads(
  kind: FitbitKind,
  chunks: AsyncIterable<Buffer>,
  zone: Zone,
  options: FitbitOptions,
): AsyncGenerator<readonly PayloadLine[]> {
  const builder = new PayloadBuilder();
  let columns: readonly string[] | undefined;
  let line = 0;
  for await (const record of csvRecords(chunks)) {
    line += 1;
    if (columns === undefined) {
      columns = record.map(normalHeader);
      continue;
    }
    const row = toRow(columns, record);
    const id = row["id"] ?? "";
    const user = options.user ?? id;
    const device = options.device ?? `fitbit-${id}`;
    for (const sample of kind.samples(row, zone)) builder.add(user, device, sample, line);
    if (line % ROWS_PER_STEP === 0) yield builder.take();
  }
  yield builder.finish();
}

async function* csvRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  const parser = parse({ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true });
  const feeding = feed(chunks, parser);
  feeding.catch((error: unknown) => parser.destroy(error as Error));
  for await (const record of parser) yield record as string[];
  await feeding;
}

async function feed(chunks: AsyncIterable<Buffer>, parser: ReturnType<typeof parse>): Promise<void> {
  for await (const chunk of chunks) {
    if (!parser.write(chunk)) await new Promise((resolve) => parser.once("drain", resolve));
  }
  parser.end();
}

function toRow(columns: readonly string[], record: readonly string[]): FitbitRow {
  const row: Record<string, string> = Object.create(null) as Record<string, string>;
  columns.forEach((column, index) => {
    const cell = record[index];
    if (cell !== undefined && cell !== "") row[column] = cell;
  });
  return row;
}
