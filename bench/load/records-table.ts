/**
 * A table of records as the catalog-writer keeps it, large from the start: health samples that libs/lake wrote, and the
 * writer's own table over them, in this process, on local files and the in-memory catalog. Opening it rebuilds the key
 * index, because there is none.
 */
import { acceptedSubject, type ColumnValue, type Dataset, encodeColumnBatch, streams } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import { definedIdentifier, type KernelConnection, type LakeEnvironment } from "@firn/lake";
import { type LocalLake, openLocalLake } from "@firn/testing";
import { join } from "node:path";
import { Batch } from "../../apps/catalog-writer/src/batch.ts";
import { localDateRule } from "../../apps/catalog-writer/src/foreign/local-dates.ts";
import { KeyIndex } from "../../apps/catalog-writer/src/key-index/key-index.ts";
import { type CommitReport, KeyedTable } from "../../apps/catalog-writer/src/keyed-table.ts";
import { makeTable } from "../../apps/catalog-writer/src/tables.ts";
import { type Cost, costOf } from "./cost.ts";
import { watchMemory } from "./processes.mjs";

const types = 12;
const users = 5_000;
const messageRows = 10_000;
const rowsPerCommit = 1_000_000;
const dayUs = 86_400_000_000;
const startUs = Date.UTC(2020, 0, 1) * 1000;

export interface RecordsTableOptions {
  readonly rows: number;
  /** Rows follow each other in days, as lakes do. */
  readonly rowsPerDay: number;
  readonly memoryLimitMb: number;
  /** The rows are another engine's: they are taken up before the key index is rebuilt. Default: they are ours. */
  readonly areForeign?: boolean;
}

export interface RecordsTable {
  readonly fill: Cost;
  /** Taking up rows that are foreign, the rebuild of the key index, and the most anonymous memory meanwhile. */
  readonly rebuild: Cost & { readonly peakMiB: number };
  /**
   * Commits rows by their numbers as one batch; loading it is not counted.
   * @param again the earlier row that a row repeats: a sixth of them with another value
   */
  commit(
    from: number,
    count: number,
    again: (n: number) => number | undefined,
  ): Promise<Cost & { result: CommitReport }>;
  /** Resolves when the key index has merged all that it will. */
  settled(): Promise<void>;
  counts(): ReturnType<KeyedTable["counts"]>;
  close(): Promise<void>;
}

export async function openRecordsTable(options: RecordsTableOptions): Promise<RecordsTable> {
  const lake = await openLocalLake("records", options);
  const { env, connection, folder } = lake;
  const dataset = createHealthDataset();
  const index = KeyIndex.open(join(folder, "index"));
  await makeTable(env, dataset.raw, env.randomness.uuid());
  const fill = await costOf(() => fillTable(lake, dataset, options));
  const memory = watchMemory({ bench: process.pid }, 50);
  const rebuild = await costOf(() => openKeyed(env, connection, dataset, index, options));
  const peakMiB = memory().most["bench"]!;
  await index.settled();
  const table = await openKeyed(env, connection, dataset, index, options);
  const subject = acceptedSubject(dataset.name, 0);
  const shape = { definition: dataset.raw, identity: dataset.identity, content: dataset.content };
  let sequence = 0;
  return {
    fill,
    rebuild: { wallMs: rebuild.wallMs, cpuMs: rebuild.cpuMs, peakMiB },
    async commit(from, count, again) {
      const file = join(folder, "messages.json");
      const batch = new Batch({ connection, shape, index, kind: "accepted", file, name: `batch_${sequence}` });
      for (let start = 0; start < count; start += messageRows) {
        const data = encodeRows(dataset, options, from + start, Math.min(messageRows, count - start), again);
        batch.add({ subject, sequence: ++sequence, data, headers: {}, timestampMs: 0 }, 0);
        await batch.absorb();
      }
      const cost = await costOf(() => table.commit(batch, "bench"));
      await batch.drop();
      return cost;
    },
    settled: () => index.settled(),
    counts: () => table.counts(),
    async close() {
      await index.close();
      await lake.close();
    },
  };
}

function openKeyed(
  env: LakeEnvironment,
  connection: KernelConnection,
  dataset: Dataset,
  index: KeyIndex,
  { areForeign = false }: RecordsTableOptions,
) {
  const localDates = localDateRule(dataset, dataset.raw, "UTC");
  return KeyedTable.open({
    env,
    connection,
    index,
    definition: dataset.raw,
    identity: dataset.identity,
    content: dataset.content,
    identifier: definedIdentifier(dataset.raw),
    stream: streams.validated,
    subjects: [acceptedSubject(dataset.name, 0)],
    writerEpoch: "bench",
    newRowsCountAs: "stored",
    ...(areForeign && { takeUp: { ...(localDates && { localDates }) } }),
  });
}

async function fillTable(lake: LocalLake, { raw }: Dataset, options: RecordsTableOptions): Promise<void> {
  const { rows, rowsPerDay } = options;
  for (let from = 0; from < rows; from += rowsPerCommit)
    await lake.append(raw, rowsSql(from, Math.min(from + rowsPerCommit, rows), rowsPerDay));
}

/** The same rows as `encodeRows` makes. */
function rowsSql(from: number, to: number, rowsPerDay: number): string {
  return `SELECT 'phone-' || u AS device_id, u AS user_id, format('5b1f0c9e-0c3f-4001-a9b7-{:012d}', n) AS sample_id,
      'type' || n % ${types} AS data_type, (n % 1000) / 7 AS value, 'count/min' AS unit, at_us AS start_date,
      at_us + INTERVAL 1 MINUTE AS end_date, 'com.apple.health' AS source_bundle,
      MAP {'HKTimeZone': 'Europe/Berlin', 'HKWasUserEntered': '0'} AS metadata, true AS is_synced, at_us AS created_at,
      at_us AS payload_timestamp, '3.2.1' AS app_version, at_us AS processing_time, 'Europe/Berlin' AS timezone,
      60 AS timezone_offset, at_us::DATE AS local_date
    FROM (SELECT n, 'user-' || n * 7919 % ${users} AS u,
        make_timestamptz(${startUs} + n // ${rowsPerDay} * ${dayUs} + n % ${rowsPerDay} * 800000) AS at_us
      FROM range(${from}, ${to}) AS numbers(n))`;
}

function encodeRows(
  dataset: Dataset,
  { rowsPerDay }: RecordsTableOptions,
  from: number,
  count: number,
  again: (n: number) => number | undefined,
): Uint8Array {
  const columns: Record<string, ColumnValue[]> = { _op: [] };
  for (const column of dataset.raw.columns) columns[column.name] = [];
  for (let n = from; n < from + count; n++) {
    const earlier = again(n);
    const id = earlier ?? n;
    const user = `user-${(id * 7919) % users}`;
    const at = startUs + Math.floor(id / rowsPerDay) * dayUs + (id % rowsPerDay) * 800_000;
    const row: Record<string, ColumnValue> = {
      device_id: `phone-${user}`,
      user_id: user,
      sample_id: `5b1f0c9e-0c3f-4001-a9b7-${String(id).padStart(12, "0")}`,
      data_type: `type${id % types}`,
      value: (id % 1000) / 7 + (earlier !== undefined && n % 6 === 0 ? 1 : 0),
      unit: "count/min",
      start_date: at,
      end_date: at + 60_000_000,
      source_bundle: "com.apple.health",
      metadata: { HKTimeZone: "Europe/Berlin", HKWasUserEntered: "0" },
      is_synced: true,
      created_at: at,
      payload_timestamp: at,
      app_version: "3.2.1",
      processing_time: at,
      timezone: "Europe/Berlin",
      timezone_offset: 60,
      local_date: Math.floor(at / dayUs),
      _op: 0,
    };
    for (const [name, value] of Object.entries(row)) columns[name]?.push(value);
  }
  return encodeColumnBatch(dataset.name, { rows: count, columns });
}
