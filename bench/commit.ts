/**
 * The cost of a commit follows the batch, not the table: 100,000 samples (with duplicates and corrections) into tables
 * of 1 and 20 million rows.
 *
 *   node tools/run-ts.mjs bench/commit.ts [--rows 1000000,20000000] [--batch 100000] [--rounds 5] [--days 60]
 *
 * The writer's own table in process, on local files and the in-memory catalog, without broker and HTTP: what is timed
 * is loading the batch, judging it, staging files, the commit and the key index. The table grows in days, as lakes do;
 * the batch is of the last two days, its duplicates and corrections are of rows that the table holds.
 */
import { acceptedSubject, encodeColumnBatch, streams, type ColumnValue } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import { definedIdentifier, lakeEnvironment, MemoryCatalog, openFileStore, openKernel } from "@firn/lake";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Batch } from "../apps/catalog-writer/src/batch.ts";
import { KeyIndex } from "../apps/catalog-writer/src/key-index/key-index.ts";
import { KeyedTable } from "../apps/catalog-writer/src/keyed-table.ts";
import { ensureTables } from "../apps/catalog-writer/src/tables.ts";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000,20000000" },
    batch: { type: "string", default: "100000" },
    rounds: { type: "string", default: "5" },
    fill: { type: "string", default: "250000" },
    "rows-per-day": { type: "string", default: "100000" },
  },
});
const batchRows = Number(options.batch);
const rowsPerDay = Number(options["rows-per-day"]);
const fillRows = Number(options["fill"]);
const messageRows = 10_000;
const types = Array.from({ length: 12 }, (_, n) => `type${n}`);
const dayUs = 86_400_000_000;
const dataset = createHealthDataset();

console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, batches of ${batchRows} samples`);
for (const rows of options.rows.split(",").map(Number)) await measure(rows);

async function measure(tableRows: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "firn-commit-"));
  const kernel = await openKernel({ memoryLimitMb: 224, threads: 1, tempDir: join(folder, "spill") });
  const index = KeyIndex.open(join(folder, "index"));
  try {
    const root = `file://${join(folder, "warehouse")}`;
    const env = lakeEnvironment({
      catalog: new MemoryCatalog({ warehouse: root }),
      store: await openFileStore({ root }),
    });
    await ensureTables(env, [dataset]);
    const connection = await kernel.connect();
    const shape = { definition: dataset.raw, identity: dataset.identity, content: dataset.content };
    const table = await KeyedTable.open({
      env,
      connection,
      index,
      ...shape,
      identifier: definedIdentifier(dataset.raw),
      stream: streams.validated,
      subjects: [acceptedSubject(dataset.name, 0)],
      writerEpoch: "bench",
      newRowsCountAs: "stored",
    });
    let sequence = 0;
    const commit = async (from: number, count: number, changed: (n: number) => number | undefined) => {
      const batch = new Batch({
        connection,
        shape,
        index,
        kind: "accepted",
        file: join(folder, "messages.json"),
        name: `batch_${sequence}`,
      });
      for (let start = 0; start < count; start += messageRows) {
        const data = encodeRows(from + start, Math.min(messageRows, count - start), changed);
        batch.add(
          { subject: acceptedSubject(dataset.name, 0), sequence: ++sequence, data, headers: {}, timestampMs: 0 },
          0,
        );
        await batch.absorb();
      }
      const cpuBefore = process.cpuUsage();
      const started = performance.now();
      const report = await table.commit(batch, "bench");
      const wallMs = performance.now() - started;
      const { user, system } = process.cpuUsage(cpuBefore);
      await batch.drop();
      return { wallMs, cpuMs: (user + system) / 1000, report };
    };
    for (let from = 0; from < tableRows; from += fillRows)
      await commit(from, Math.min(fillRows, tableRows - from), () => undefined);
    const runs: { wallMs: number; cpuMs: number }[] = [];
    let next = tableRows;
    for (let round = 0; round < Number(options.rounds); round++) {
      const fresh = Math.round(batchRows * 0.88);
      // Of the rest five in six are duplicates, one in six is a correction, all of the last two days.
      const again = (n: number) =>
        n < next + fresh ? undefined : next - 1 - ((n * 7919) % Math.min(rowsPerDay * 2, tableRows));
      runs.push(await commit(next, batchRows, again));
      next += fresh;
    }
    const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
    console.log(
      `table of ${tableRows.toLocaleString("en")} rows: commit of ${batchRows.toLocaleString("en")} samples ` +
        `${median(runs.map((run) => run.wallMs)).toFixed(0)} ms wall, ${median(runs.map((run) => run.cpuMs)).toFixed(0)} ms CPU (median of ${runs.length})`,
    );
    const counts = table.counts();
    console.log(`  counts ${JSON.stringify(counts)}, ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`);
  } finally {
    await index.close();
    kernel.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows `from` … `from + count`; `again` gives the earlier row that a row repeats: a sixth of them with another value. */
function encodeRows(from: number, count: number, again: (n: number) => number | undefined): Uint8Array {
  const columns: Record<string, ColumnValue[]> = { _op: [] };
  for (const column of dataset.raw.columns) columns[column.name] = [];
  const startUs = Date.UTC(2020, 0, 1) * 1000;
  for (let n = from; n < from + count; n++) {
    const earlier = again(n);
    const id = earlier ?? n;
    const user = `user-${(id * 2654435761) % 5000}`;
    const at = startUs + Math.floor(id / rowsPerDay) * dayUs + (id % rowsPerDay) * 800_000;
    const row: Record<string, ColumnValue> = {
      device_id: `phone-${user}`,
      user_id: user,
      sample_id: `5b1f0c9e-0c3f-4001-a9b7-${String(id).padStart(12, "0")}`,
      data_type: types[id % types.length] ?? "type0",
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
