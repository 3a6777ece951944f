/**
 * The rollups of one dataset as an incrementally maintained view: round by round from one snapshot of raw to the next.
 *
 * The stage's position is its last round in the log, which names the snapshot; a round starts only when the last one
 * is in every table. It learns of commits by hints, which may be lost, and by looking at the table.
 */
import {
  committedHint,
  type Dataset,
  decodeRollupRound,
  encodeRollupRound,
  parsePositions,
  type RollupRound,
  rollupSubject,
  sourceSnapshotProperty,
} from "@firn/core";
import {
  currentSnapshot,
  isLakeError,
  isOutOfMemory,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  refreshTable,
  rowsChangedBetween,
  type Table,
} from "@firn/lake";
import type { Logger } from "@firn/service";
import { isStreamError, type Log, type LogRecord, type StreamConnection } from "@firn/stream";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { computeRound } from "./compute-round.ts";
import { dailyRollup } from "./rollup-sql.ts";
import { rowsPerSliceMax } from "./slices.ts";

import { Wake } from "./wake.ts";
import { allWindows, changedWindows, type WindowSource } from "./window-source.ts";

const pollMs = 1_000;
const retryMinMs = 200;
const retryMaxMs = 5_000;
/** Rounds may take this part of the time, as a divisor, while more commits keep coming. */
const costFactor = 1;
const intervalMinMs = 100;
const intervalMaxMs = 20_000;
/** Without changed rows the rollups still follow raw's snapshots, so that none that they name expires. */
const emptyRoundMs = 5 * 60_000;

export interface AggregatorStageOptions {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  readonly log: Log;
  readonly streams: StreamConnection;
  readonly defaultZone: string;
  readonly folder: string;
  readonly logger: Logger;
  /** How many messages wait for the writer: while a backlog drains, rounds are rarer. */
  backlog(): Promise<number>;
  rounded(report: RoundReport): void;
}

export interface RoundReport {
  readonly windows: number;
  readonly rows: number;
  readonly durationMs: number;
}

export interface RebuildRequest {
  readonly from?: string;
  readonly to?: string;
}

export class AggregatorStage {
  readonly #options: AggregatorStageOptions;
  readonly #wake = new Wake();
  #rebuilds: { request: RebuildRequest; done: (report: RoundReport) => void; failed: (error: unknown) => void }[] = [];
  #rowsPerSlice = rowsPerSliceMax;
  #lastRoundMs = 0;
  #lastRoundEnd = -Infinity;

  constructor(options: AggregatorStageOptions) {
    this.#options = options;
  }

  /** Computes the windows of a range of local dates anew, within the next round; resolves when it is published. */
  rebuild(request: RebuildRequest): Promise<RoundReport> {
    return new Promise((done, failed) => {
      this.#rebuilds.push({ request, done, failed });
      this.#wake.now();
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { dataset, logger, streams } = this.#options;
    const ends = [dataset.raw, ...dataset.rollups.map((rollup) => rollup.table)].map((table) =>
      streams.subscribeHints(committedHint(table.namespace, table.name), () => this.#wake.now()),
    );
    let failures = 0;
    try {
      while (!signal.aborted) {
        try {
          const waitMs = await this.#turn();
          failures = 0;
          await this.#wake.wait(waitMs, signal);
        } catch (error) {
          if (isOutOfMemory(error) && this.#rowsPerSlice > 1) this.#rowsPerSlice = Math.ceil(this.#rowsPerSlice / 2);
          else if (!isLakeError(error) && !isStreamError(error)) throw error;
          const waitMs = Math.min(retryMaxMs, retryMinMs * 2 ** failures++);
          logger.warn("round failed, trying again", { dataset: dataset.name, error: String(error), waitMs });
          await sleep(waitMs, undefined, { signal }).catch(() => undefined);
        }
      }
    } finally {
      for (const end of ends) end();
    }
  }

  /** One look at the tables, and a round when one is due. Returns how long to wait at most before the next look. */
  async #turn(): Promise<number> {
    const { dataset, log } = this.#options;
    const last = await log.last(rollupSubject(dataset.name, 0));
    const lastRound = last ? decodeRollupRound(last.data) : undefined;
    const raw = await this.#load(dataset.raw);
    const snapshot = currentSnapshot(raw.metadata);
    if (!snapshot) return pollMs;
    const to = snapshot["snapshot-id"];
    if (lastRound?.sourceSnapshot === String(to) && this.#rebuilds.length === 0) return pollMs;
    const written = lastRound === undefined ? "all" : await this.#written(lastRound, last?.sequence ?? 0);
    if (written === "not yet") return pollMs;
    const known = written === "all" ? lastRound : undefined;
    const base = known?.sourceTable === raw.metadata["table-uuid"] ? BigInt(known.sourceSnapshot) : undefined;
    if (base !== undefined && this.#rebuilds.length === 0) {
      const changed = rowsChangedBetween(raw.metadata, base, to);
      if (changed === false && snapshot["timestamp-ms"] - timeOf(raw, base) < emptyRoundMs) return pollMs;
    }
    const restMs = await this.#rest();
    if (restMs > 0 && this.#rebuilds.length === 0) return restMs;
    await this.#round(raw, base, to, last);
    return 0;
  }

  /**
   * Whether the last round is in every table. `other`: the tables say that they have it and equal another snapshot,
   * because an operator let the writer go on at the end of a stream that was restored from an older copy.
   */
  async #written(round: RollupRound, sequence: number): Promise<"all" | "not yet" | "other"> {
    const { dataset, log } = this.#options;
    let written: "all" | "other" = "all";
    for (const rollup of dataset.rollups) {
      const { properties } = (await this.#load(rollup.table)).metadata;
      if (properties[sourceSnapshotProperty] === round.sourceSnapshot) continue;
      if (parsePositions(properties, log.stream).get(rollupSubject(dataset.name, 0)) !== sequence) return "not yet";
      written = "other";
    }
    return written;
  }

  /** How long to let commits gather: nothing at rest, in step with the cost of a round while a backlog drains. */
  async #rest(): Promise<number> {
    const backlog = await this.#options.backlog();
    const factor = backlog > 0 ? costFactor * 4 : costFactor;
    const interval = Math.min(intervalMaxMs, Math.max(intervalMinMs, factor * this.#lastRoundMs));
    return Math.max(0, this.#lastRoundEnd + interval - performance.now());
  }

  async #round(raw: Table, base: bigint | undefined, to: bigint, last: LogRecord | undefined): Promise<void> {
    const { connection, dataset, defaultZone, env, folder, log, logger } = this.#options;
    const started = performance.now();
    const rebuilds = this.#rebuilds;
    this.#rebuilds = [];
    try {
      const days = await this.#load(dailyRollup(dataset).table);
      const { sources, baseSnapshot } = await this.#sources(raw, days, base, to, rebuilds);
      const nowMs = env.clock.nowMs();
      const { changes: rollups, windows } = await computeRound({
        env,
        connection,
        dataset,
        raw,
        snapshotId: to,
        days,
        sources,
        defaultZone,
        rowsPerSlice: this.#rowsPerSlice,
        nowUs: nowMs * 1000,
        roundId: `${nowMs}-${randomUUID()}`,
        folder,
      });
      const round: RollupRound = {
        v: 1,
        dataset: dataset.name,
        sourceTable: raw.metadata["table-uuid"],
        sourceSnapshot: String(to),
        baseSnapshot: baseSnapshot === undefined ? null : String(baseSnapshot),
        part: 0,
        parts: 1,
        rollups,
      };
      const subject = rollupSubject(dataset.name, 0);
      await log.append([{ subject, data: encodeRollupRound(round), expectedLastSequence: last?.sequence ?? 0 }]);
      const rows = rollups.flatMap((change) => change.upserts).reduce((sum, file) => sum + file.rows, 0);
      this.#lastRoundMs = performance.now() - started;
      this.#lastRoundEnd = performance.now();
      const report = { windows, rows, durationMs: Math.round(this.#lastRoundMs) };
      logger.debug("round published", { dataset: dataset.name, ...report, snapshotId: String(to) });
      this.#options.rounded(report);
      for (const one of rebuilds) one.done(report);
    } catch (error) {
      for (const one of rebuilds) one.failed(error);
      throw error;
    }
  }

  /** What names the windows since `base`: all where there is no base or its snapshots are gone; those of rebuilds too. */
  async #sources(
    raw: Table,
    days: Table,
    base: bigint | undefined,
    to: bigint,
    rebuilds: readonly { readonly request: RebuildRequest }[],
  ): Promise<{ sources: WindowSource[]; baseSnapshot: bigint | undefined }> {
    const { connection, dataset, env, logger } = this.#options;
    const since = base === undefined ? undefined : await changedWindows(env, dataset, raw, base, to);
    if (since === undefined && base !== undefined)
      logger.warn("snapshots since the last round are gone, computing every window", { dataset: dataset.name });
    const all = (range: RebuildRequest) => allWindows(env, connection, dataset, raw, to, days, range);
    if (since === undefined) return { sources: [await all({})], baseSnapshot: undefined };
    const asked: WindowSource[] = [];
    for (const { request } of rebuilds) asked.push(await all(request));
    return { sources: [since, ...asked], baseSnapshot: base };
  }

  readonly #tables = new Map<string, Table>();

  async #load(definition: { readonly namespace: string; readonly name: string }): Promise<Table> {
    const { env } = this.#options;
    const identifier = { namespace: definition.namespace.split("."), name: definition.name };
    const known = this.#tables.get(definition.name);
    const table = known ? await refreshTable(env, known) : await loadTable(env, identifier);
    this.#tables.set(definition.name, table);
    return table;
  }
}

/** When a snapshot was made, in milliseconds; long ago when it has expired. */
function timeOf(raw: Table, snapshotId: bigint): number {
  return raw.metadata.snapshots.find((one) => one["snapshot-id"] === snapshotId)?.["timestamp-ms"] ?? -Infinity;
}
