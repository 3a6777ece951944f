/**
 * A lake (health unless told) in one process: the stages themselves over in-memory streams and catalog and files in a
 * temporary folder. For tests of what the stages make of arrivals; processes, brokers and servers are tested elsewhere.
 */
import {
  acceptedSubject,
  type Dataset,
  encodeColumnBatch,
  encodeRejectedBatch,
  foreignReceivedProperty,
  parseCounts,
  parkedKey,
  type ParkedState,
  parsePositions,
  receivedBeforeProperty,
  rejectedSubject,
  resumeKey,
  type ResumeOrder,
  rollupSubject,
  sourceSnapshotProperty,
  streams,
} from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  currentSnapshot,
  definedIdentifier,
  type Kernel,
  type KernelConnection,
  lakeEnvironment,
  type LakeEnvironment,
  loadTable,
  MemoryCatalog,
  openFileStore,
  openKernel,
  planScan,
  rowsChangedBetween,
  scanSql,
} from "@firn/lake";
import { createMetrics, Parking, silentLogger } from "@firn/service";
import { type Log, MemoryLogs, rollupLog, STATE_BUCKET, validatedLog } from "@firn/stream";
import { tempFolder, type TempFolder, waitFor } from "@firn/testing";
import { join } from "node:path";
import { AggregatorStage } from "../../apps/aggregator/test/aggregator-stage.ts";
import { defaultCadence } from "../../apps/catalog-writer/src/cadence.ts";
import { openDatasetStages } from "../../apps/catalog-writer/src/dataset-stages.ts";
import { isTakenUp } from "../../apps/catalog-writer/src/foreign/take-up.ts";
import { KnownTables } from "../../apps/catalog-writer/src/known-tables.ts";
import { answerMaintain, answerUpkeep } from "../../apps/catalog-writer/src/maintain-reply.ts";
import { WorkBudget } from "../../apps/catalog-writer/src/work-budget.ts";
import { createWriterMetrics } from "../../apps/catalog-writer/src/writer-metrics.ts";

const settleLimitMs = 30_000;
/** How often stages look whether others changed their tables. */
const lookAgainMs = 50;
const rowsAtOnceMax = 200_000;
const defaultZone = "UTC";

export class InProcessLake {
  /** As the stages have it; another definition comes with a restart. */
  dataset: Dataset;
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly #folder: TempFolder;
  readonly #kernel: Kernel;
  readonly #logs: MemoryLogs;
  #validated: Log;
  #rollups: Log;
  readonly #maintain: boolean;
  /** How far the lake's clock is ahead of the machine's. */
  readonly clock: { aheadMs: number };
  #received = 0;
  #running:
    | { stop: AbortController; ended: Promise<unknown>; closeStages: () => Promise<void>; aggregator: AggregatorStage }
    | undefined;

  private constructor(parts: {
    env: LakeEnvironment;
    connection: KernelConnection;
    folder: TempFolder;
    kernel: Kernel;
    logs: MemoryLogs;
    validated: Log;
    rollups: Log;
    maintain: boolean;
    clock: { aheadMs: number };
    dataset: Dataset;
  }) {
    this.dataset = parts.dataset;
    this.env = parts.env;
    this.connection = parts.connection;
    this.#folder = parts.folder;
    this.#kernel = parts.kernel;
    this.#logs = parts.logs;
    this.#validated = parts.validated;
    this.#rollups = parts.rollups;
    this.#maintain = parts.maintain;
    this.clock = parts.clock;
  }

  static async open({
    maintain = false,
    dataset = createHealthDataset({ aggregates: { kind: "bucket", buckets: 2 } }),
  } = {}): Promise<InProcessLake> {
    const folder = await tempFolder("lake");
    const clock = { aheadMs: 0 };
    const root = `file://${join(folder.path, "warehouse")}`;
    const env = lakeEnvironment({
      catalog: new MemoryCatalog({ warehouse: root }),
      store: await openFileStore({ root }),
      clock: { nowMs: () => Date.now() + clock.aheadMs },
    });
    const kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: join(folder.path, "spill") });
    const logs = new MemoryLogs();
    const { validated, rollups } = await openStreams(logs);
    const connection = await kernel.connect();
    const parts = { env, connection, folder, kernel, logs, validated, rollups, maintain, clock, dataset };
    const lake = new InProcessLake(parts);
    await lake.start();
    return lake;
  }

  /** Validates payloads as the validator does and appends what it would append. */
  async send(payloads: readonly unknown[]): Promise<void> {
    const run = this.dataset.beginRun({ strict: true, defaultZone }, Date.now() * 1000);
    for (const payload of payloads)
      run.add({
        bytes: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload), "utf8"),
        encoding: "json",
        receivedAtUs: Date.now() * 1000,
        origin: { kind: "http" },
        subject: `intake.${this.dataset.name}.0`,
        shard: 0,
        sequence: 1,
      });
    const { rows, rejected, received } = run.finish();
    this.#received += received;
    const name = this.dataset.name;
    await this.#validated.append([
      ...(rejected.length > 0
        ? [{ subject: rejectedSubject(name, 0), data: encodeRejectedBatch(name, rejected) }]
        : []),
      {
        subject: acceptedSubject(name, 0),
        data: encodeColumnBatch(name, rows),
        headers: { "Firn-Records": String(this.#received) },
      },
    ]);
  }

  /** Until everything sent is in raw or errors and every aggregate equals raw. */
  async settle(limitMs = settleLimitMs): Promise<void> {
    await waitFor(() => this.#isSettled(), { limitMs, what: "the lake to settle" });
  }

  async counts() {
    const { properties } = (await this.table(this.dataset.raw)).metadata;
    const raw = parseCounts(properties);
    const before = properties[receivedBeforeProperty];
    const errors = parseCounts((await this.table(this.dataset.errors)).metadata.properties);
    return {
      ...raw,
      rejected: errors.rejected,
      duplicates: raw.duplicates + errors.duplicates,
      received: this.#received + Number(before ?? 0) + Number(properties[foreignReceivedProperty] ?? 0),
    };
  }

  /** Rows of a table as plain objects. */
  async rows<T extends object>(
    definition: { readonly namespace: string; readonly name: string },
    columns?: readonly string[],
  ): Promise<T[]> {
    return this.connection.rows<T>(await this.scan(definition, columns));
  }

  /** SQL of the table's rows. */
  async scan(
    definition: { readonly namespace: string; readonly name: string },
    columns?: readonly string[],
  ): Promise<string> {
    const plan = await planScan({ env: this.env, table: await this.table(definition) });
    return scanSql(plan, { store: this.env.store, ...(columns ? { columns } : {}) });
  }

  /** Deletes streams (both) and makes them anew, as a broker without its files does, under the running stages. */
  async loseStreams(names: readonly string[] = [streams.validated, streams.rollup]): Promise<void> {
    for (const name of names) this.#logs.deleteStream(name);
    const { validated, rollups } = await openStreams(this.#logs);
    [this.#validated, this.#rollups] = [validated, rollups];
    if (names.includes(streams.validated)) this.#received = 0;
  }

  /** Appends a message to the rounds of the aggregator, as nothing of the lake's would. */
  async appendRound(data: Uint8Array): Promise<void> {
    await this.#rollups.append([{ subject: rollupSubject(this.dataset.name, 0), data }]);
  }

  /** What a copy of the broker's files would hold now; `restoreStreams` brings it back. */
  copyStreams(): StreamsCopy {
    const copies = [streams.validated, streams.rollup].map((name) => this.#logs.copyStream(name));
    return { copies, received: this.#received };
  }

  async restoreStreams({ copies, received }: StreamsCopy): Promise<void> {
    await this.#stop();
    for (const copy of copies) this.#logs.restoreStream(copy);
    this.#received = received;
    await this.start();
  }

  /** The last sequence of the validated stream. */
  async lastValidated(): Promise<number> {
    return (await this.#validated.bounds()).lastSequence;
  }

  /** What `firn maintain` asks and hears. */
  async request(subject: string, body: object): Promise<unknown> {
    const reply = await this.#logs.request(subject, Buffer.from(JSON.stringify(body)), { timeoutMs: settleLimitMs });
    return JSON.parse(Buffer.from(reply).toString("utf8")) as unknown;
  }

  /** What `firn rebuild` asks of the aggregator. */
  async rebuild(range: { from?: string; to?: string; validate?: boolean } = {}) {
    if (!this.#running) throw new Error("the lake does not run");
    return this.#running.aggregator.rebuild(range);
  }

  /** Why a part of the writer is parked; undefined when it is not. */
  async parked(what: string): Promise<ParkedState | undefined> {
    const store = await this.#logs.attempts(STATE_BUCKET);
    return (await store.get(parkedKey("catalog-writer", what))) as ParkedState | undefined;
  }

  /** What `firn resume` does. */
  async order(what: string, order: ResumeOrder): Promise<void> {
    await (await this.#logs.attempts(STATE_BUCKET)).put(resumeKey("catalog-writer", what), order);
  }

  /**
   * Ends the stages and starts new ones, as a restart of the processes does; optionally without their local state, and
   * with something that happens in between.
   */
  async restart({ forget = false, between = () => Promise.resolve(), dataset = this.dataset } = {}): Promise<void> {
    await this.#stop();
    await between();
    this.dataset = dataset;
    await this.start(forget ? `catalog-writer-${Date.now()}` : "catalog-writer");
  }

  async close(): Promise<void> {
    await this.#stop();
    this.connection.close();
    this.#kernel.close();
    await this.#logs.close();
    await this.#folder.remove();
  }

  async start(folder = "catalog-writer"): Promise<void> {
    const { dataset, env } = this;
    const state = await this.#logs.attempts(STATE_BUCKET);
    const known = new KnownTables(env, state);
    await known.makeFirst(dataset);
    const { stages, maintenance, close } = await openDatasetStages(dataset, {
      shards: 1,
      limits: { ...defaultCadence, intervalMinMs: 1, quietMs: 1, intervalMaxMs: 20 },
      maintenanceIntervalMs: 20,
      defaultZone,
      orphanAgeMs: 3 * 86_400_000,
      lookAgainMs,
      logger: silentLogger(),
      metrics: createWriterMetrics(createMetrics()),
      env,
      connection: this.#logs,
      validated: this.#validated,
      rollups: this.#rollups,
      known,
      parking: new Parking("catalog-writer", state, silentLogger(), lookAgainMs),
      folder: join(this.#folder.path, folder),
      kernel: this.#kernel,
      writerEpoch: "test",
      budget: new WorkBudget(rowsAtOnceMax),
    });
    const aggregator = await AggregatorStage.open({
      env,
      kernel: this.#kernel,
      dataset,
      log: this.#rollups,
      streams: this.#logs,
      defaultZone,
      folder: join(this.#folder.path, "aggregator"),
      logger: silentLogger(),
      lookAgainMs,
      // Both ways of computing a round are taken.
      wholeRowsMin: 5,
      periodsIntervalMs: 50,
      backlog: () => Promise.resolve(0),
      rounded: () => undefined,
    });
    const running = [...stages.filter((stage) => this.#maintain || stage !== maintenance), aggregator];
    const endMaintain = answerMaintain(this.#logs, new Map([[dataset.name, [dataset.name]]]));
    const endUpkeep = answerUpkeep(this.#logs, dataset.name, maintenance);
    const endReplies = () => (endMaintain(), endUpkeep());
    const stop = new AbortController();
    const ended = Promise.all(running.map((stage) => stage.run(stop.signal))).finally(endReplies);
    ended.catch(() => undefined);
    this.#running = { stop, ended, closeStages: close, aggregator };
  }

  async #stop(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    running.stop.abort();
    await running.ended;
    await running.closeStages();
  }

  table(definition: { readonly namespace: string; readonly name: string }) {
    return loadTable(this.env, definedIdentifier(definition));
  }

  async #isSettled(): Promise<boolean> {
    const failed = await Promise.race([this.#running?.ended.then(() => false), Promise.resolve(true)]);
    if (failed === false) return false;
    const name = this.dataset.name;
    for (const [definition, subject] of [
      [this.dataset.raw, acceptedSubject(name, 0)],
      [this.dataset.errors, rejectedSubject(name, 0)],
    ] as const) {
      const table = await this.table(definition);
      const last = await this.#validated.last(subject);
      const position = parsePositions(table.metadata.properties, streams.validated).get(subject) ?? 0;
      if (last && position < last.sequence) return false;
    }
    const raw = await this.table(this.dataset.raw);
    const snapshot = currentSnapshot(raw.metadata);
    if (!snapshot) return true;
    if (!isTakenUp(raw)) return false;
    for (const rollup of this.dataset.rollups) {
      const source = (await this.table(rollup.table)).metadata.properties[sourceSnapshotProperty];
      if (source === undefined) return false;
      if (rowsChangedBetween(raw.metadata, BigInt(source), snapshot["snapshot-id"]) !== false) return false;
    }
    return true;
  }
}

export interface StreamsCopy {
  readonly copies: readonly ReturnType<MemoryLogs["copyStream"]>[];
  readonly received: number;
}

async function openStreams(logs: MemoryLogs): Promise<{ validated: Log; rollups: Log }> {
  return {
    validated: await logs.openLog(validatedLog({ replicas: 1 })),
    rollups: await logs.openLog(rollupLog({ replicas: 1 })),
  };
}
