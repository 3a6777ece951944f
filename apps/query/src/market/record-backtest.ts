import type { Dataset } from "@firn/core";
import { addPortfolio, isUniqueViolation, removePortfolio, type Queryable } from "@firn/relational";
import { Problem, type Logger } from "@firn/service";
import type { Log } from "@firn/stream";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { streamProblem } from "../pipeline/stream-link.ts";
import type { PlanSession } from "../questions/plan-session.ts";
import type { AskedBacktest } from "./asked-backtest.ts";
import type { BacktestOutcome } from "./backtest-document.ts";
import { backtestRecords } from "./backtest-rows.ts";
import { committedCounter } from "./committed-rows.ts";
import { nameTaken } from "./name-taken.ts";
import type { Relations } from "../relations.ts";

export interface RecordedBacktest {
  readonly asked: AskedBacktest;
  readonly outcome: BacktestOutcome;
}

export type RecordBacktest = (backtest: RecordedBacktest) => Promise<number | null>;

export interface RecordBacktestParts {
  /** The market lake among them. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly shards: number;
  readonly relations: Relations;
  /** Throws 503 while the broker is away. */
  readonly intake: () => Pick<Log, "append">;
  /** Reads of the tables as they are now. */
  readonly session: () => PlanSession;
  /** Whether runs that nobody saves are recorded too. */
  readonly recordsAll: boolean;
  readonly nowMs: () => number;
  readonly log: Logger;
}

const LAKE = "market";
const LOOK_EVERY_MS = 100;
const COMMIT_WAIT_MAX_MS = 120_000;

/**
 * Stores backtests through the stages that every event takes. A run that is saved becomes a portfolio: its relations go
 * to PostgreSQL, its rows to INTAKE in one append, and the answer waits until the tables have them. A run that is not
 * saved leaves its figures and signals behind and waits for nothing; where the broker is away it leaves nothing.
 */
export function backtestRecorder(parts: RecordBacktestParts): RecordBacktest {
  return async (backtest) => {
    const { saveAs } = backtest.asked;
    if (saveAs !== undefined) return savePortfolio(parts, backtest, saveAs);
    if (parts.recordsAll) {
      try {
        await appendRows(parts, backtest, null, randomUUID());
      } catch (error) {
        parts.log.warn("backtest not recorded", { error });
      }
    }
    return null;
  };
}

async function savePortfolio(parts: RecordBacktestParts, backtest: RecordedBacktest, name: string): Promise<number> {
  const { relations } = parts;
  const portId = await relations.transaction((client) => insertPortfolio(client, backtest, name));
  const runId = randomUUID();
  try {
    await appendRows(parts, backtest, portId, runId);
  } catch (error) {
    await removePortfolio(relations, portId);
    throw streamProblem(error);
  }
  await untilCommitted(parts, backtest, portId, runId);
  return portId;
}

async function insertPortfolio(client: Queryable, { asked, outcome }: RecordedBacktest, name: string): Promise<number> {
  const { algorithm: strategy, metaIds } = asked;
  try {
    return await addPortfolio(client, { name, strategy, metaIds, metrics: outcome.metrics });
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken(name) : error;
  }
}

async function appendRows(
  { shards, intake, nowMs }: RecordBacktestParts,
  backtest: RecordedBacktest,
  portId: number | null,
  runId: string,
): Promise<void> {
  const records = backtestRecords(backtest, { portId, runId, nowMs: nowMs(), dataset: LAKE, shards });
  await intake().append(records);
}

async function untilCommitted(
  { datasets, session, nowMs }: RecordBacktestParts,
  backtest: RecordedBacktest,
  portId: number,
  runId: string,
): Promise<void> {
  const lacking = committedCounter(datasets.get(LAKE)!, backtest, portId, runId);
  const endsAtMs = nowMs() + COMMIT_WAIT_MAX_MS;
  while (await lacking(session())) {
    if (nowMs() > endsAtMs) {
      const detail = `portfolio ${portId} is accepted, but its rows are not committed yet; /api/portfolio/${portId}/nav will have them`;
      throw new Problem(503, "not_committed_yet", detail);
    }
    await sleep(LOOK_EVERY_MS);
  }
}
