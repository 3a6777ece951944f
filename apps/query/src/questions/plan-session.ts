import type { AnswerStats } from "@firn/client";
import type { AnswerTable, MeasuredRows, Parameters, QuestionPlan, TableDefinition } from "@firn/core";
import { planScan, scanSchema, tableName, type LakeEnvironment, type ScanPlan } from "@firn/lake";
import type { Problem } from "@firn/service";
import { bytesRead } from "../tables/bytes-read.ts";
import { checkFiles, type FileMark } from "../tables/check-files.ts";
import { columnNames, renamePredicate, scanColumns } from "../tables/column-names.ts";
import { findUnreadableFile } from "../tables/find-unreadable.ts";
import type { Footers } from "../tables/footers.ts";
import type { KernelPool } from "../tables/kernel-pool.ts";
import type { TableCache } from "../tables/table-cache.ts";
import { lakeProblem } from "../tables/unreadable.ts";
import type { Cursor } from "./cursor.ts";
import { planPredicate } from "./plan-predicate.ts";
import { filesOf, readAnswer, scanPredicate } from "./read-answer.ts";
import type { CachedAnswer, ResultCache } from "./result-cache.ts";
import { chooseSnapshot, timeOfSnapshot, unknownSnapshot } from "./snapshot-choice.ts";

export interface PlanSessionParts {
  readonly env: LakeEnvironment;
  readonly tables: TableCache;
  readonly pool: KernelPool;
  readonly footers: Footers;
  readonly results: ResultCache;
  /** Up to which instant everything acknowledged is in the newest snapshot of a table; null: not known. */
  readonly completeThrough: (table: string) => Promise<string | null>;
}

/** A plan with the snapshot and the files that it is read from. No data file was read yet. */
export interface OpenedPlan {
  readonly plan: QuestionPlan;
  /** Full name of the table. */
  readonly name: string;
  readonly uuid: string;
  /** Undefined where the table had none. */
  readonly snapshotId: bigint | undefined;
  readonly isNewest: boolean;
  readonly completeThrough: string | null;
  readonly cursor: Cursor | undefined;
  readonly scan: ScanPlan | undefined;
  readonly marks: readonly FileMark[];
}

export type ReadStats = Pick<AnswerStats, "files_read" | "bytes_read" | "cached" | "cost_usd">;

export interface PlanRead {
  readonly table: AnswerTable;
  readonly hasMore: boolean;
  readonly read: ReadStats;
}

const USD_PER_BYTE = 5 / 1e12;
const NOT_READ: ReadStats = { files_read: 0, bytes_read: 0, cached: false, cost_usd: 0 };

/** The reads of one question: all of them at the state that it is asked of, and what they cost together. */
export class PlanSession {
  readonly #parts: PlanSessionParts;
  readonly #parameters: Parameters;
  readonly #pins: ReadonlyMap<string, bigint>;
  readonly #opened = new Map<string, OpenedPlan>();
  readonly #reads: ReadStats[] = [];
  readonly #lakeTables: readonly TableDefinition[];
  #timeOfSnapshot: Promise<number | undefined> | undefined;

  /**
   * @param pins snapshots that the pages of an answer are read from, by table
   * @param lakeTables among which a snapshot of another table than the one that is read is looked for
   */
  constructor(
    parts: PlanSessionParts,
    parameters: Parameters,
    pins: ReadonlyMap<string, bigint> = new Map(),
    lakeTables: readonly TableDefinition[] = [],
  ) {
    this.#parts = parts;
    this.#parameters = parameters;
    this.#pins = pins;
    this.#lakeTables = lakeTables;
  }

  /** The instant that the question is about, in milliseconds since 1970; undefined: now. */
  async timeMs(): Promise<number | undefined> {
    const asOf = this.#parameters["as_of"] as number | bigint | undefined;
    if (asOf !== undefined) return Number(BigInt(asOf) / 1000n);
    const asked = this.#parameters["snapshot_id"] as bigint | undefined;
    if (asked === undefined) return undefined;
    const timeMs = await this.#snapshotTime();
    if (timeMs === undefined) throw notOfTheAnswer(asked);
    return timeMs;
  }

  /** Refuses an answer that `snapshot_id` says nothing about: it is of none of the tables that were read. */
  requireAskedSnapshot(): void {
    const asked = this.#parameters["snapshot_id"] as bigint | undefined;
    if (asked === undefined || this.#opened.size === 0) return;
    if (!this.tables.some(({ snapshotId }) => snapshotId === asked)) throw notOfTheAnswer(asked);
  }

  /** The tables that were opened, by name. */
  get tables(): readonly OpenedPlan[] {
    return [...this.#opened.values()];
  }

  /** What all reads cost together; cached when every one came from the cache. */
  get cost(): ReadStats {
    const sum = (of: (read: ReadStats) => number) => this.#reads.reduce((total, read) => total + of(read), 0);
    return {
      files_read: sum((read) => read.files_read),
      bytes_read: sum((read) => read.bytes_read),
      cached: this.#reads.length > 0 && this.#reads.every((read) => read.cached),
      cost_usd: sum((read) => read.cost_usd),
    };
  }

  /** Chooses snapshot and files. Throws a Problem for what the asker or an operator must mend. */
  async open(plan: QuestionPlan, cursor?: Cursor): Promise<OpenedPlan> {
    const name = nameOf(plan);
    const { env, tables } = this.#parts;
    // Before the table is loaded: what the streams had then is in the snapshot that is read after.
    const completeThrough = await this.#parts.completeThrough(name);
    try {
      const pin = cursor?.snapshotId ?? this.#pins.get(name) ?? this.#opened.get(name)?.snapshotId;
      const { table, snapshot, isNewest } = await chooseSnapshot(tables, plan, {
        parameters: this.#parameters,
        pin,
        snapshotTime: () => this.#snapshotTime(),
      });
      const base = { plan, name, uuid: table.metadata["table-uuid"], isNewest, completeThrough, cursor };
      const scan =
        snapshot &&
        (await planScan({
          env,
          table,
          snapshotId: snapshot["snapshot-id"],
          where: renamePredicate(
            scanPredicate(plan, cursor),
            columnNames(plan.table, scanSchema(table.metadata, snapshot)),
          ),
        }));
      const marks = scan === undefined ? [] : await checkFiles(env.store, name, filesOf(scan.tasks));
      const opened = { ...base, snapshotId: snapshot?.["snapshot-id"], scan, marks };
      this.#opened.set(name, opened);
      return opened;
    } catch (error) {
      throw lakeProblem(error, name);
    }
  }

  /** @param asked names the question and its page: the same rows of the same snapshot have the same */
  async read(opened: OpenedPlan, asked: string): Promise<PlanRead> {
    const { plan, scan, marks } = opened;
    if (scan === undefined) return this.#note({ table: emptyTable(plan), hasMore: false, read: NOT_READ });
    const key = `${snapshotKey(opened)} ${asked}`;
    const kept = this.kept(key, marks);
    if (kept !== undefined) return kept;
    if (scan.tasks.length === 0) return this.#note({ table: emptyTable(plan), hasMore: false, read: NOT_READ });
    try {
      const read = await this.#readFiles(opened, scan);
      this.#parts.results.set(key, { table: read.table, hasMore: read.hasMore, marks });
      return this.#note(read);
    } catch (error) {
      throw lakeProblem(error, opened.name);
    }
  }

  /** Reads whatever was kept, and tells what it cost; what it reads is not kept. */
  async measure(opened: OpenedPlan): Promise<MeasuredRows> {
    const { plan, scan } = opened;
    const startedMs = performance.now();
    if (scan === undefined || scan.tasks.length === 0) return { table: emptyTable(plan), bytesRead: 0, elapsedMs: 0 };
    try {
      const { table, read } = this.#note(await this.#readFiles(opened, scan));
      return { table, bytesRead: read.bytes_read, elapsedMs: performance.now() - startedMs };
    } catch (error) {
      throw lakeProblem(error, opened.name);
    }
  }

  /** An answer that was kept, when its files are still what they were. */
  kept(key: string, marks: readonly FileMark[]): (CachedAnswer & { readonly read: ReadStats }) | undefined {
    const found = this.#parts.results.get(key);
    if (found === undefined || !sameMarks(found.marks, marks)) return undefined;
    return this.#note({ ...found, read: { ...NOT_READ, cached: true } });
  }

  keep(key: string, answer: CachedAnswer): void {
    this.#parts.results.set(key, answer);
  }

  #snapshotTime(): Promise<number | undefined> {
    const asked = this.#parameters["snapshot_id"] as bigint;
    return (this.#timeOfSnapshot ??= timeOfSnapshot(this.#parts.tables, this.#lakeTables, asked));
  }

  async #readFiles(opened: OpenedPlan, scan: ScanPlan): Promise<PlanRead> {
    const { env, footers, pool } = this.#parts;
    const { plan, cursor, name } = opened;
    const columns = scanColumns(plan.reads, columnNames(plan.table, scan.schema));
    return pool.run(async (connection) => {
      try {
        const answer = await readAnswer(connection, env, plan, scan, cursor);
        const found = await footers.read(
          connection,
          answer.tasks.map((task) => task.file),
        );
        const where = scan.where ?? planPredicate(plan);
        const bytes = bytesRead(answer.tasks, scan.schema, columns, where, found);
        const read = { files_read: filesOf(answer.tasks).length, bytes_read: bytes, cached: false };
        return { table: answer.table, hasMore: answer.hasMore, read: { ...read, cost_usd: bytes * USD_PER_BYTE } };
      } catch (error) {
        throw await findUnreadableFile(connection, env.store, name, scan, columns, error);
      }
    });
  }

  #note<R extends PlanRead>(read: R): R {
    this.#reads.push(read.read);
    return read;
  }
}

function notOfTheAnswer(asked: bigint): Problem {
  return unknownSnapshot("snapshot_id", `snapshot ${asked} is in no table of the answer, or has expired`);
}

/** Names the state of a table that rows were read from. */
export function snapshotKey({ name, uuid, snapshotId }: OpenedPlan): string {
  return `${name} ${uuid} ${snapshotId}`;
}

const nameOf = ({ table }: QuestionPlan): string => tableName({ namespace: [table.namespace], name: table.name });

export const emptyTable = (plan: Pick<QuestionPlan, "columns">): AnswerTable => ({
  columns: plan.columns,
  rowCount: 0,
  values: plan.columns.map(() => []),
});

function sameMarks(kept: readonly FileMark[], marks: readonly FileMark[]): boolean {
  return kept.length === marks.length && kept.every((mark, index) => mark.modifiedMs === marks[index]!.modifiedMs);
}
