/**
 * The rollups of a lane as an incrementally maintained view: round by round from one snapshot of raw to the next. A lane
 * of weeks and months goes as far as the published days that it is made from.
 *
 * The stage's position stands in the rollups' tables, which name the snapshot that they equal; a round starts only when
 * the last one is in all of them or was left out. It learns of commits by hints, which may be lost, and by looking.
 */
import {
  committedHint,
  encodeRollupRound,
  NewerFormat,
  parsePositions,
  type RebuildReport,
  refuseNewerState,
  type RollupRound,
  rollupSubject,
  type RoundReport,
  stagedFiles,
} from "@firn/core";
import {
  currentSnapshot,
  definedIdentifier,
  isLakeError,
  isOutOfMemory,
  loadTable,
  refreshTable,
  rowsChangedBetween,
  type Table,
} from "@firn/lake";
import { handedOn, repeatTurns, type Tracer, type TraceSpan } from "@firn/service";
import { type AppendRecord, isStreamError, type Log, type StreamConnection } from "@firn/stream";
import { computeLaneRound, type LaneRoundOptions, type RoundStart } from "./lane-round.ts";
import { pollMs, RoundCadence } from "./round-cadence.ts";
import { startRoundSpan } from "./round-span.ts";
import { behindSinceMs, commonSource, roundTaken } from "./published-state.ts";
import { RebuildQueue, type RebuildValidations } from "./rebuild-queue.ts";
import { type Rebuild, type RebuildRequest, validateRebuilds } from "./rebuild.ts";
import { rowsPerSliceMax } from "./slices.ts";
import { isBefore, timeOf } from "./snapshot-order.ts";
import { Wake } from "./wake.ts";

/** Others may have dropped or changed a rollup's table. */
const lookAgainDefaultMs = 5_000;
/** How often a new lake is looked at for its tables. */
const tableWaitMs = 200;
/** Without changed rows the rollups still follow raw's snapshots, so that none that they name expires. */
const emptyRoundMs = 5 * 60_000;

export interface LaneStageOptions extends LaneRoundOptions {
  readonly log: Log;
  readonly streams: StreamConnection;
  readonly tracer?: Tracer;
  /** How often the rollups' tables are looked at while raw stands still, in milliseconds. */
  readonly lookAgainMs?: number;
  /** Rows of raw that a round works on at once; half of it after each round for which memory did not suffice. */
  readonly rowsPerSlice?: number;
  /** Longest pause between rounds of a lane of weeks and months while days change, in milliseconds. */
  readonly periodsIntervalMs?: number;
  /** Bytes that wait for the writer: while a backlog drains, rounds are rarer. */
  backlog(raw: Table): Promise<number>;
  rounded(report: RoundReport): void;
}

export class LaneStage {
  readonly #options: LaneStageOptions;
  readonly name: string;
  readonly #wake = new Wake();
  readonly #cadence: RoundCadence;
  readonly #rebuilds = new RebuildQueue();
  #rowsPerSlice: number;
  #saidMissing = false;
  /** When the first snapshot of raw was made that the rollups have not; undefined where they have all. */
  #behindSinceMs: number | undefined;
  /** The round that was published last and is not known to be in all tables yet. */
  #inFlight: number | undefined;
  /** Raw, or the days, as they were when the rollups were seen to equal them, and when that was. */
  #settled: { readonly source: Table; readonly atMs: number } | undefined;

  constructor(options: LaneStageOptions) {
    this.#options = options;
    this.name = options.lane.name;
    const { lane, periodsIntervalMs } = options;
    this.#cadence = new RoundCadence({ followsDays: lane.days !== undefined, periodsIntervalMs });
    this.#rowsPerSlice = options.rowsPerSlice ?? rowsPerSliceMax;
  }

  /** How long the oldest snapshot waits that the rollups have not taken up; 0 where they have all. */
  lagSeconds(nowMs: number): number {
    return this.#behindSinceMs === undefined ? 0 : Math.max(0, nowMs - this.#behindSinceMs) / 1000;
  }

  /** Computes the windows of a range of local dates anew, within the next round; resolves when it is in the tables. */
  rebuild(request: RebuildRequest): Promise<RebuildReport> {
    const report = this.#rebuilds.ask(request);
    this.#wake.now();
    return report;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { dataset, lane, logger, streams } = this.#options;
    const source = lane.days?.table ?? dataset.raw;
    const ends = [source, ...lane.rollups.map((rollup) => rollup.table)].map((table) =>
      streams.subscribeHints(committedHint(table.namespace, table.name), () => this.#wake.now()),
    );
    try {
      await repeatTurns(signal, {
        turn: async (ending, progressed) => {
          const waitMs = await this.#look();
          progressed();
          await this.#wake.wait(waitMs, ending);
        },
        // Of a newer release it waits until this process is one too.
        getsOver: (error) =>
          this.#lowerMemory(error) || isLakeError(error) || isStreamError(error) || error instanceof NewerFormat,
        logger,
        fields: { dataset: dataset.name, lane: lane.number },
      });
    } finally {
      for (const end of ends) end();
      this.#rebuilds.end(new Error("the aggregator ends"));
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
      const { dataset, lane, logger } = this.#options;
      const seenAll = this.#tables.size >= lane.rollups.length + (lane.days ? 2 : 1);
      if (seenAll || !isLakeError(error, "not_found")) throw error;
      if (!this.#saidMissing && !lane.days)
        logger.info("waiting until the tables are made", { dataset: dataset.name, error });
      this.#saidMissing = true;
      return tableWaitMs;
    }
  }

  /** One look at the tables, and a round when one is due. Returns how long to wait at most before the next look. */
  async #turn(): Promise<number> {
    if (await this.#isInFlight()) return pollMs;
    const { dataset, lane } = this.#options;
    const raw = await this.#load(dataset.raw);
    const source = lane.days ? await this.#load(lane.days.table) : raw;
    this.#cadence.sourceSeen(currentSnapshot(source.metadata)?.["snapshot-id"], performance.now());
    const waitMs = Math.min(pollMs, this.#options.lookAgainMs ?? pollMs);
    if (this.#isSettled(source)) return waitMs;
    const start = await this.#start(raw);
    if (start === undefined) return waitMs;
    const { base, to } = start;
    this.#behindSinceMs = behindSinceMs(raw.metadata, base, to);
    if (base !== undefined && !this.#rebuilds.isWaiting) {
      const changed = rowsChangedBetween(raw.metadata, base, to);
      if (changed === false && (base === to || timeOf(raw, to) - timeOf(raw, base) < emptyRoundMs)) {
        this.#settled = { source, atMs: performance.now() };
        return waitMs;
      }
    }
    const restMs = await this.#cadence.restMs(performance.now(), () => this.#options.backlog(raw));
    if (restMs > 0 && !this.#rebuilds.isWaiting) return restMs;
    await this.#round(start);
    return 0;
  }

  /** A cheap look for the first moments after a round: the last table gets it last. */
  async #isInFlight(): Promise<boolean> {
    const { lane, log } = this.#options;
    const rollup = lane.rollups.at(-1);
    if (this.#inFlight === undefined || rollup === undefined || this.#cadence.sinceRoundMs(performance.now()) > pollMs)
      return false;
    const { metadata } = await this.#load(rollup.table);
    const position = parsePositions(metadata.properties, log.stream).get(this.#subject) ?? 0;
    return position < this.#inFlight;
  }

  #isSettled(source: Table): boolean {
    const settled = this.#settled;
    if (settled?.source !== source || this.#rebuilds.isWaiting) return false;
    return performance.now() - settled.atMs < (this.#options.lookAgainMs ?? lookAgainDefaultMs);
  }

  /** What the next round starts from; undefined while there is nothing to start from, and while the last is on its way. */
  async #start(raw: Table): Promise<RoundStart | undefined> {
    const { lane, log } = this.#options;
    const subject = this.#subject;
    const [last, identity, days, ...tables] = await Promise.all([
      log.last(subject),
      log.identity(),
      lane.days && this.#load(lane.days.table),
      ...lane.rollups.map((rollup) => this.#load(rollup.table)),
    ]);
    const lastSequence = last?.sequence ?? 0;
    const metadata = tables.map((table) => table.metadata);
    if (metadata.some((one) => roundTaken(one, log.stream, identity, subject) !== lastSequence)) return undefined;
    this.#inFlight = undefined;
    if (currentSnapshot(raw.metadata) === undefined) this.#rebuilds.nothingToDo();
    const base = commonSource(raw.metadata, metadata);
    if (base !== undefined) this.#rebuilds.landed();
    const to = days ? commonSource(raw.metadata, [days.metadata]) : currentSnapshot(raw.metadata)?.["snapshot-id"];
    // Days that were computed anew from an older snapshot have to come up first.
    if (to === undefined || isBefore(raw, to, base)) return undefined;
    const published = new Map(lane.rollups.map((rollup, at) => [rollup.name, tables[at]!]));
    if (lane.days && days) published.set(lane.days.name, days);
    return { raw, published, base, to, lastSequence };
  }

  async #round(start: RoundStart): Promise<void> {
    this.#cadence.roundStarted(performance.now());
    const rebuilds = this.#rebuilds.take();
    this.#settled = undefined;
    const span = startRoundSpan(this.#options, start);
    try {
      const ranges = rebuilds.map((rebuild) => rebuild.request);
      const { round, windows } = await computeLaneRound(this.#options, start, ranges, this.#rowsPerSlice);
      const files = round.rollups.flatMap(stagedFiles);
      const { connection, dataset, env, lane, logger } = this.#options;
      const { published, raw, to } = start;
      const tables = { env, connection, dataset, rollups: lane.rollups, raw, snapshotId: to, published };
      const validations = await validateRebuilds(rebuilds, { ...tables, changes: round.rollups });
      if ([...validations.values()].some((validation) => !validation.ok)) {
        await this.#refuse(round, rebuilds, validations, windows);
        span.end({ "firn.windows": windows, "firn.rows": 0 });
        return;
      }
      // Tables that were right already stay as they are.
      if (files.length > 0 || start.base !== start.to) await this.#publish(round, start.lastSequence, span);
      const durationMs = Math.round(this.#cadence.roundEnded(performance.now()));
      const rows = files.reduce((sum, file) => sum + file.rows, 0);
      const report = { windows, rows, durationMs };
      logger.debug("round computed", { dataset: dataset.name, ...report, snapshotId: round.sourceSnapshot });
      span.end({ "firn.windows": windows, "firn.rows": rows, "firn.snapshot_id": round.sourceSnapshot });
      this.#options.rounded(report);
      this.#rebuilds.published(rebuilds, report, validations);
    } catch (error) {
      span.end({}, error);
      for (const one of rebuilds) one.failed(error);
      throw error;
    }
  }

  /** Leaves the tables as they are: who asked for a validation that failed hears so, the other rebuilds come again. */
  async #refuse(
    round: RollupRound,
    rebuilds: readonly Rebuild[],
    validations: RebuildValidations,
    windows: number,
  ): Promise<void> {
    const { dataset, env, logger } = this.#options;
    logger.warn("a rebuild is refused: its rows are not what raw gives", { dataset: dataset.name });
    for (const file of round.rollups.flatMap(stagedFiles)) await env.store.delete(file.location);
    this.#rebuilds.refused(rebuilds, { windows, rows: 0, durationMs: 0 }, validations);
  }

  async #publish(round: RollupRound, lastSequence: number, span: TraceSpan): Promise<void> {
    const data = encodeRollupRound(round);
    const record: AppendRecord = { subject: this.#subject, data, expectedLastSequence: lastSequence };
    const appended = await this.#options.log.append(handedOn([record], span));
    this.#inFlight = appended.lastSequence;
  }

  get #subject(): string {
    const { dataset, lane } = this.#options;
    return rollupSubject(dataset.name, lane.number);
  }

  readonly #tables = new Map<string, Table>();

  async #load(definition: { readonly namespace: string; readonly name: string }): Promise<Table> {
    const { env } = this.#options;
    const known = this.#tables.get(definition.name);
    const table = known ? await refreshTable(env, known) : await loadTable(env, definedIdentifier(definition));
    refuseNewerState(table.metadata.properties);
    this.#tables.set(definition.name, table);
    return table;
  }
}
