import type { MarketRow, MarketSender } from "@firn/feeds";
import type { Queryable } from "@firn/relational";
import { escapeIdentifier } from "pg";

import { CommandError, EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import type { MigrateState } from "./migrate-state.ts";
import { readPages } from "./read-pages.ts";
import type { SourceTable } from "./source-table.ts";

export interface CopyOptions {
  readonly database: Queryable;
  readonly sender: MarketSender;
  readonly batchSize: number;
  /** Absent: nowhere to keep it. */
  readonly state: MigrateState | undefined;
  readonly signal: AbortSignal;
}

/** Rows are named by their identity, so requests of one page may overtake each other. */
const REQUESTS_AT_ONCE = 4;

/**
 * Sends a table through ingest page by page: the next page is read while one is sent, and two are held at most. Goes on
 * behind the last page that ingest has acknowledged.
 * @returns rows sent by this call
 */
export async function copyTable(source: SourceTable, options: CopyOptions): Promise<number> {
  const { batchSize, database, state, signal } = options;
  const total = await countRows(database, source);
  const before = state?.read();
  const progress = startProgress(`migrate ${source.name}`, total);
  if (before !== undefined) progress.say(`${source.name}: goes on behind ${before.rows.toLocaleString("en-US")} rows`);
  let rows = before?.rows ?? 0;
  let sending: Promise<void> = Promise.resolve();
  try {
    for await (const page of readPages(database, source, { batchSize, after: before?.lastKey })) {
      await sending;
      if (signal.aborted) throw stopped();
      sending = sendPage(source.target.definition.name, page.rows, options).then(() => {
        rows += page.rows.length;
        state?.write({ lastKey: page.lastKey, rows });
        progress.update(rows, `${rows.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} rows`);
      });
      // A failure is seen where it is awaited, which may be later than it happens.
      sending.catch(() => undefined);
    }
    await sending;
  } finally {
    progress.end();
  }
  return rows - (before?.rows ?? 0);
}

async function sendPage(table: string, rows: readonly MarketRow[], { sender, signal }: CopyOptions): Promise<void> {
  const each = Math.ceil(rows.length / REQUESTS_AT_ONCE);
  const parts = Array.from({ length: REQUESTS_AT_ONCE }, (_, part) => rows.slice(part * each, (part + 1) * each));
  await Promise.all(parts.map((part) => sender.send(table, part, signal)));
}

async function countRows(database: Queryable, source: SourceTable): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    `SELECT count(*) AS n FROM ${escapeIdentifier(source.name)} AS s WHERE ${source.where}`,
  );
  return rows[0]!.n;
}

function stopped(): CommandError {
  return new CommandError(EXIT.broken, "the migration was stopped", {
    fix: "Run the same command again: it goes on from where it stopped",
  });
}
