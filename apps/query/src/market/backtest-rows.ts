import { encodeIntakeFrame, formatDate, intakeSubject, shardOf } from "@firn/core";
import type { AppendRecord } from "@firn/stream";
import type { RecordedBacktest } from "./record-backtest.ts";

export interface BacktestRun {
  /** Null for a run that is no portfolio. */
  readonly portId: number | null;
  readonly runId: string;
  readonly nowMs: number;
  readonly dataset: string;
  readonly shards: number;
}

/** Rows of one payload; ingest takes as many from others. */
const PAYLOAD_ROWS_MAX = 5_000;

/** The rows that a backtest leaves, as records of INTAKE: payloads of one table each, as any sender's. */
export function backtestRecords(backtest: RecordedBacktest, run: BacktestRun): AppendRecord[] {
  const tables: [string, readonly object[]][] = [
    ["tb_backtests", [runRow(backtest, run)]],
    ["tb_signals", signalRows(backtest)],
    ...(run.portId === null ? [] : portfolioRows(backtest, run.portId)),
  ];
  return tables.flatMap(([table, rows]) => recordsOf(table, rows, run));
}

function portfolioRows({ outcome }: RecordedBacktest, portId: number): [string, readonly object[]][] {
  const { curve, securities } = outcome;
  const nav = curve.dates.map((date, index) => ({
    trade_date: formatDate(date),
    port_id: portId,
    value: curve.nav[index],
    total_value: curve.nav[index],
  }));
  const weights = curve.rebalances.flatMap(({ date, weights: own }) =>
    own.map((weight, index) => ({
      rebal_date: formatDate(date),
      port_id: portId,
      meta_id: securities[index]!.meta_id,
      weight,
    })),
  );
  return [
    ["tb_nav", nav],
    ["tb_rebalance", weights],
  ];
}

function signalRows({ asked, outcome }: RecordedBacktest): object[] {
  return outcome.curve.rebalances.flatMap(({ date, weights, scores }) =>
    weights.map((weight, index) => ({
      signal_date: formatDate(date),
      algorithm: asked.algorithm,
      meta_id: outcome.securities[index]!.meta_id,
      score: scores[index],
      weight,
    })),
  );
}

function runRow({ asked, outcome }: RecordedBacktest, { portId, runId, nowMs }: BacktestRun): object {
  const { curve, metrics } = outcome;
  return {
    run_id: runId,
    run_date: formatDate(Math.floor(nowMs / 86_400_000)),
    port_id: portId,
    algorithm: asked.algorithm,
    meta_ids: JSON.stringify(asked.metaIds),
    start_date: formatDate(curve.dates[0]!),
    end_date: formatDate(curve.dates.at(-1)!),
    rebal_freq: asked.frequency,
    cost_bps: asked.costBps,
    ...metrics,
  };
}

function recordsOf(table: string, rows: readonly object[], run: BacktestRun): AppendRecord[] {
  // As the lake's envelope check has it: the rows of a table are one shard.
  const subject = intakeSubject(run.dataset, shardOf(table, run.shards));
  const records: AppendRecord[] = [];
  for (let from = 0; from < rows.length; from += PAYLOAD_ROWS_MAX) {
    const bytes = Buffer.from(JSON.stringify({ table, rows: rows.slice(from, from + PAYLOAD_ROWS_MAX) }));
    const payload = { bytes, receivedAtUs: run.nowMs * 1000, encoding: "json", origin: { kind: "http" } } as const;
    records.push({ subject, data: encodeIntakeFrame([payload]) });
  }
  return records;
}
