/**
 * The rollups of one dataset as an incrementally maintained view: round by round from one snapshot of raw to the next.
 *
 * The stage's position stands in the rollups' tables, which name the snapshot that they equal; a round starts only when
 * the last one is in all of them or was left out. It learns of commits by hints, which may be lost, and by looking.
 */
import {
  committedHint,
  type Dataset,
  encodeRollupRound,
  parsePositions,
  type RollupRound,
  rollupSubject,
} from "@firn/core";
import {
  currentSnapshot,
  definedIdentifier,
  isLakeError,
  isOutOfMemory,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  refreshTable,
  rowsChangedBetween,
  type Table,
} from "@firn/lake";
import { type Logger, repeatTurns } from "@firn/service";
import { isStreamError, type Log, type StreamConnection } from "@firn/stream";
import { randomUUID } from "node:crypto";
import { computeRound } from "./compute-round.ts";
import { commonSource, roundTaken } from "./published-state.ts";
import { rowsPerSliceMax } from "./slices.ts";
import { type RebuildValidation, validateRebuild } from "./validate-rebuild.ts";
import { Wake } from "./wake.ts";
import { allWindows, changedWindows, type DateRange, type WindowSource } from "./window-source.ts";

const pollMs = 1_000;
/** Others may have dropped or changed a rollup's table. */
const lookAgainDefaultMs = 5_000;
/** How often a new lake is looked at for its tables. */
const tableWaitMs = 200;
/** While more messages than `backlogMin` wait for the writer, rounds take one part in so many of the time. */
const backlogFactor = 4;
const backlogMin = 20;
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
  /** How often the rollups' tables are looked at while raw stands still, in milliseconds. */
  readonly lookAgainMs?: number;
  /** How many messages wait for the writer: while a backlog drains, rounds are rarer. */
  backlog(raw: Table): Promise<number>;
  rounded(report: RoundReport): void;
}

export interface RoundReport {
  readonly windows: number;
  readonly rows: number;
  readonly durationMs: number;
  /** Of a rebuild that asked for it; where it is not ok, nothing was published. */
  readonly validation?: RebuildValidation;
}

export interface RebuildRequest extends DateRange {
  /** Whether the rows are judged against raw before they are published. */
  readonly validate?: boolean;
}

interface Rebuild {
  readonly request: RebuildRequest;
  done(report: RoundReport): void;
  failed(error: unknown): void;
}

/** What a round starts from. */
interface RoundStart {
  readonly raw: Table;
  /** The rollups' tables by the rollup's name. */
  readonly published: ReadonlyMap<string, Table>;
  /** The snapshot of raw that all rollups equal; undefined where they do not. */
  readonly base: bigint | undefined;
  readonly to: bigint;
  /** The last round of the log; 0 for none. */
  readonly lastSequence: number;
}

export class AggregatorStage {
  readonly #options: AggregatorStageOptions;
  readonly #wake = new Wake();
  #rebuilds: Rebuild[] = [];
  /** Rebuilds whose round is published and not yet in all tables. */
  #landing: { readonly rebuild: Rebuild; readonly report: RoundReport }[] = [];
  #rowsPerSlice = rowsPerSliceMax;
  #saidMissing = false;
  #lastRoundMs = 0;
  #lastRoundEnd = -Infinity;
  /** The round that was published last and is not known to be in all tables yet. */
  #inFlight: number | undefined;
  /** Raw as it was when the rollups were seen to equal it, and when that was. */
  #settled: { readonly raw: Table; readonly atMs: number } | undefined;

  constructor(options: AggregatorStageOptions) {
    this.#options = options;
  }

  /** Computes the windows of a range of local dates anew, within the next round; resolves when it is in the tables. */
  async rebuild(request: RebuildRequest): Promise<RoundReport> {
    for (const date of [request.from, request.to])
      if (date !== undefined && !isDate(date)) throw new Error("from and to must be dates as YYYY-MM-DD");
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
    try {
      await repeatTurns(signal, {
        turn: async (ending, progressed) => {
          const waitMs = await this.#look();
          progressed();
          await this.#wake.wait(waitMs, ending);
        },
        getsOver: (error) => this.#lowerMemory(error) || isLakeError(error) || isStreamError(error),
        logger,
        fields: { dataset: dataset.name },
      });
    } finally {
      for (const end of ends) end();
      for (const { failed } of [...this.#rebuilds, ...this.#landing.map((one) => one.rebuild)])
        failed(new Error("the aggregator ends"));
    }
  }

  /** Whether the next round can do with less memory: it computes fewer rows at once. */
  #lowerMemory(error: unknown): boolean {
    if (!isOutOfMemory(error) || this.#rowsPerSlice <= 1) return false;
    this.#rowsPerSlice = Math.ceil(this.#rowsPerSlice / 2);
    return true;
  }

  /** A turn; on a new lake a quiet wait until the writer has made the tables. Returns how long to wait at most. */
  async #look(): Promise<number> {
    try {
      return await this.#turn();
    } catch (error) {
      const { dataset, logger } = this.#options;
      const seenAll = this.#tables.size > dataset.rollups.length;
      if (seenAll || !isLakeError(error, "not_found")) throw error;
      if (!this.#saidMissing) logger.info("waiting until the tables are made", { dataset: dataset.name, error });
      this.#saidMissing = true;
      return tableWaitMs;
    }
  }

  /** One look at the tables, and a round when one is due. Returns how long to wait at most before the next look. */
  async #turn(): Promise<number> {
    if (await this.#isInFlight()) return pollMs;
    const raw = await this.#load(this.#options.dataset.raw);
    const waitMs = Math.min(pollMs, this.#options.lookAgainMs ?? pollMs);
    if (this.#isSettled(raw)) return waitMs;
    const start = await this.#start(raw);
    if (start === undefined) return waitMs;
    const { base, to } = start;
    if (base !== undefined && this.#rebuilds.length === 0) {
      const changed = rowsChangedBetween(raw.metadata, base, to);
      if (changed === false && (base === to || timeOf(raw, to) - timeOf(raw, base) < emptyRoundMs)) {
        this.#settled = { raw, atMs: performance.now() };
        return waitMs;
      }
    }
    const restMs = await this.#rest(raw);
    if (restMs > 0 && this.#rebuilds.length === 0) return restMs;
    await this.#round(start);
    return 0;
  }

  /** A cheap look for the first moments after a round: the last table gets it last. */
  async #isInFlight(): Promise<boolean> {
    const { dataset, log } = this.#options;
    const rollup = dataset.rollups.at(-1);
    if (this.#inFlight === undefined || rollup === undefined || performance.now() - this.#lastRoundEnd > pollMs)
      return false;
    const { metadata } = await this.#load(rollup.table);
    const position = parsePositions(metadata.properties, log.stream).get(rollupSubject(dataset.name, 0)) ?? 0;
    return position < this.#inFlight;
  }

  #isSettled(raw: Table): boolean {
    const settled = this.#settled;
    if (settled?.raw !== raw || this.#rebuilds.length > 0) return false;
    return performance.now() - settled.atMs < (this.#options.lookAgainMs ?? lookAgainDefaultMs);
  }

  /** What the next round starts from; undefined while raw is empty or the writer is not done with the last round. */
  async #start(raw: Table): Promise<RoundStart | undefined> {
    const { dataset, log } = this.#options;
    const subject = rollupSubject(dataset.name, 0);
    const [last, identity, ...tables] = await Promise.all([
      log.last(subject),
      log.identity(),
      ...dataset.rollups.map((rollup) => this.#load(rollup.table)),
    ]);
    const lastSequence = last?.sequence ?? 0;
    const metadata = tables.map((table) => table.metadata);
    if (metadata.some((one) => roundTaken(one, log.stream, identity, subject) !== lastSequence)) return undefined;
    this.#inFlight = undefined;
    const to = currentSnapshot(raw.metadata)?.["snapshot-id"];
    if (to === undefined) {
      for (const { request, done } of this.#rebuilds.splice(0)) done(nothingRebuilt(request));
      return undefined;
    }
    const published = new Map(dataset.rollups.map((rollup, at) => [rollup.name, tables[at]!]));
    const base = commonSource(raw.metadata, metadata);
    if (base !== undefined) for (const { rebuild, report } of this.#landing.splice(0)) rebuild.done(report);
    return { raw, published, base, to, lastSequence };
  }

  /** How long to let commits gather: nothing at rest, in step with the cost of a round while a backlog drains. */
  async #rest(raw: Table): Promise<number> {
    const backlog = await this.#options.backlog(raw);
    // A few messages always wait for the next commit: that is no backlog.
    const restMs = backlog > backlogMin ? backlogFactor * this.#lastRoundMs : 0;
    const interval = Math.min(intervalMaxMs, Math.max(intervalMinMs, restMs));
    return Math.max(0, this.#lastRoundEnd + interval - performance.now());
  }

  async #round(start: RoundStart): Promise<void> {
    const started = performance.now();
    const rebuilds = this.#rebuilds;
    this.#rebuilds = [];
    this.#settled = undefined;
    try {
      const { round, windows } = await this.#compute(start, rebuilds);
      const files = round.rollups.flatMap((change) => [...change.upserts, ...change.deletes]);
      const validations = await this.#validate(start, round, rebuilds);
      if ([...validations.values()].some((validation) => !validation.ok))
        return await this.#refuse(round, rebuilds, validations, windows);
      // Tables that were right already stay as they are.
      if (files.length > 0 || start.base !== start.to) await this.#publish(round, start.lastSequence);
      this.#lastRoundMs = performance.now() - started;
      this.#lastRoundEnd = performance.now();
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      const report = { windows, rows, durationMs: Math.round(this.#lastRoundMs) };
      const { dataset, logger } = this.#options;
      logger.debug("round computed", { dataset: dataset.name, ...report, snapshotId: round.sourceSnapshot });
      this.#options.rounded(report);
      const reportOf = (rebuild: Rebuild) => withValidation(report, validations.get(rebuild));
      this.#landing.push(...rebuilds.map((rebuild) => ({ rebuild, report: reportOf(rebuild) })));
    } catch (error) {
      for (const one of rebuilds) one.failed(error);
      throw error;
    }
  }

  async #validate(
    { raw, published, to }: RoundStart,
    round: RollupRound,
    rebuilds: readonly Rebuild[],
  ): Promise<Map<Rebuild, RebuildValidation>> {
    const { connection, dataset, env } = this.#options;
    const validations = new Map<Rebuild, RebuildValidation>();
    for (const rebuild of rebuilds) {
      if (rebuild.request.validate !== true) continue;
      const input = { env, connection, dataset, raw, snapshotId: to, published };
      const { request: range } = rebuild;
      validations.set(rebuild, await validateRebuild({ ...input, changes: round.rollups, range }));
    }
    return validations;
  }

  /** Leaves the tables as they are: who asked for a validation that failed hears so, the other rebuilds come again. */
  async #refuse(
    round: RollupRound,
    rebuilds: readonly Rebuild[],
    validations: ReadonlyMap<Rebuild, RebuildValidation>,
    windows: number,
  ): Promise<void> {
    const { dataset, env, logger } = this.#options;
    logger.warn("a rebuild is refused: its rows are not what raw gives", { dataset: dataset.name });
    const staged = round.rollups.flatMap((change) => [...change.upserts, ...change.deletes]);
    for (const file of staged) await env.store.delete(file.location);
    const report = { windows, rows: 0, durationMs: 0 };
    for (const rebuild of rebuilds) {
      const validation = validations.get(rebuild);
      if (validation?.ok === false) rebuild.done(withValidation(report, validation));
      else this.#rebuilds.push(rebuild);
    }
  }

  async #compute(
    { raw, published, base, to }: RoundStart,
    rebuilds: readonly Rebuild[],
  ): Promise<{ round: RollupRound; windows: number }> {
    const { connection, dataset, defaultZone, env, folder } = this.#options;
    const { sources, baseSnapshot } = await this.#sources(raw, published, base, to, rebuilds);
    const nowMs = env.clock.nowMs();
    const { changes: rollups, windows } = await computeRound({
      env,
      connection,
      dataset,
      raw,
      snapshotId: to,
      published,
      compare: baseSnapshot === undefined || rebuilds.length > 0,
      sources,
      defaultZone,
      rowsPerSlice: this.#rowsPerSlice,
      nowUs: nowMs * 1000,
      roundId: `${nowMs}-${randomUUID()}`,
      folder,
    });
    const round: RollupRound = {
      v: 2,
      dataset: dataset.name,
      sourceTable: raw.metadata["table-uuid"],
      sourceSnapshot: String(to),
      baseSnapshot: baseSnapshot === undefined ? null : String(baseSnapshot),
      part: 0,
      parts: 1,
      rollups,
    };
    return { round, windows };
  }

  async #publish(round: RollupRound, lastSequence: number): Promise<void> {
    const { dataset, log } = this.#options;
    const record = { subject: rollupSubject(dataset.name, 0), data: encodeRollupRound(round) };
    const appended = await log.append([{ ...record, expectedLastSequence: lastSequence }]);
    this.#inFlight = appended.lastSequence;
  }

  /** What names the windows since `base`: all where there is no base or its snapshots are gone; those of rebuilds too. */
  async #sources(
    raw: Table,
    published: ReadonlyMap<string, Table>,
    base: bigint | undefined,
    to: bigint,
    rebuilds: readonly Rebuild[],
  ): Promise<{ sources: WindowSource[]; baseSnapshot: bigint | undefined }> {
    const { connection, dataset, env, logger } = this.#options;
    const since = base === undefined ? undefined : await changedWindows(env, dataset, raw, base, to);
    const all = (range: DateRange) => allWindows(env, connection, dataset, raw, to, published, range);
    if (since === undefined) {
      const reason = base === undefined ? "the rollups name no snapshot of raw together" : "snapshots since are gone";
      const tables = [...published.values()];
      if (tables.some((table) => currentSnapshot(table.metadata) !== undefined))
        logger.warn("computing every window", { dataset: dataset.name, reason });
      return { sources: [await all({})], baseSnapshot: undefined };
    }
    const asked: WindowSource[] = [];
    for (const { request } of rebuilds) asked.push(await all(request));
    return { sources: [since, ...asked], baseSnapshot: base };
  }

  readonly #tables = new Map<string, Table>();

  async #load(definition: { readonly namespace: string; readonly name: string }): Promise<Table> {
    const { env } = this.#options;
    const known = this.#tables.get(definition.name);
    const table = known ? await refreshTable(env, known) : await loadTable(env, definedIdentifier(definition));
    this.#tables.set(definition.name, table);
    return table;
  }
}

/** Of raw without a row. */
function nothingRebuilt({ validate }: RebuildRequest): RoundReport {
  return withValidation({ windows: 0, rows: 0, durationMs: 0 }, validate ? { ok: true, rollups: [] } : undefined);
}

function withValidation(report: RoundReport, validation: RebuildValidation | undefined): RoundReport {
  return validation === undefined ? report : { ...report, validation };
}

/** When a snapshot was made, in milliseconds; long ago when it has expired. */
function timeOf(raw: Table, snapshotId: bigint): number {
  return raw.metadata.snapshots.find((one) => one["snapshot-id"] === snapshotId)?.["timestamp-ms"] ?? -Infinity;
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(`${text}T00:00:00Z`));
}
