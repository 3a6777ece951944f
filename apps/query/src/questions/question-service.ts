import {
  questionKey,
  type AnswerMeta,
  type AnswerStats,
  type QuestionDefinition,
  type QuestionKey,
} from "@firn/client";
import type { Dataset } from "@firn/core";
import { planScan, scanSchema, tableName, type LakeEnvironment, type ScanPlan } from "@firn/lake";
import { Problem } from "@firn/service";
import { columnValues, type AnswerTable } from "../answers/answer-table.ts";
import { parameterParser, type ParameterParser, type Parameters } from "../parameters/parse-parameters.ts";
import { bytesRead } from "../tables/bytes-read.ts";
import { columnNames, renamePredicate, scanColumns } from "../tables/column-names.ts";
import { checkFiles } from "../tables/check-files.ts";
import { findUnreadableFile } from "../tables/find-unreadable.ts";
import type { Footers } from "../tables/footers.ts";
import type { KernelPool } from "../tables/kernel-pool.ts";
import type { TableCache } from "../tables/table-cache.ts";
import { lakeProblem } from "../tables/unreadable.ts";
import { canonicalText, decodeCursor, encodeCursor, fingerprintOf, type Cursor } from "./cursor.ts";
import { PLANNERS } from "./planners.ts";
import type { QuestionPlan } from "./question-plan.ts";
import { filesOf, readAnswer, scanPredicate } from "./read-answer.ts";
import type { CachedAnswer, ResultCache } from "./result-cache.ts";
import { chooseSnapshot, type ChosenSnapshot } from "./snapshot-choice.ts";
import { withUnits, unitsOf, type UnitOfType } from "./units.ts";

/** An answer before it has a form (JSON, CSV, Arrow). */
export interface QuestionAnswer {
  readonly table: AnswerTable;
  readonly meta: AnswerMeta;
  readonly page: { readonly cursor: string | null };
  readonly stats: AnswerStats;
}

export interface QuestionServiceParts {
  readonly env: LakeEnvironment;
  readonly tables: TableCache;
  readonly pool: KernelPool;
  readonly footers: Footers;
  readonly results: ResultCache;
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly canonicalType: (name: string) => string;
  readonly unitOfType: UnitOfType;
  /** Up to which instant everything acknowledged is in the newest snapshot of a table; null: not known. */
  readonly completeThrough: (table: string) => Promise<string | null>;
}

const USD_PER_BYTE = 5 / 1e12;

/** Answers questions: parameters → plan → files → rows. Every way to ask goes through here. */
export class QuestionService {
  readonly #parts: QuestionServiceParts;
  readonly #parsers = new Map<string, ParameterParser>();

  constructor(parts: QuestionServiceParts) {
    this.#parts = parts;
  }

  /** @param input parameters as they came, by name. Throws a Problem for what the asker or an operator must mend. */
  async ask(question: QuestionDefinition, input: Readonly<Record<string, unknown>>): Promise<QuestionAnswer> {
    const startedMs = performance.now();
    const key = questionKey(question) as QuestionKey;
    const parameters = this.#parse(key, question, input);
    const dataset = this.#parts.datasets.get(question.dataset);
    if (dataset === undefined) throw new Problem(404, "not_found", `there is no dataset ${question.dataset}`);
    const { canonicalType } = this.#parts;
    const plan = PLANNERS[key]({ dataset, parameters, canonicalType });
    const name = `${plan.table.namespace}.${plan.table.name}`;
    // Before the table is loaded: what the streams had then is in the snapshot that is read after.
    const completeThrough = await this.#parts.completeThrough(name);
    try {
      const fingerprint = fingerprintOf(key, parameters);
      const cursor = readCursor(parameters, fingerprint);
      const chosen = await chooseSnapshot(this.#parts.tables, plan, parameters, cursor);
      const answer = await this.#answer(plan, chosen, cursor, canonicalText(fingerprint, pageOf(parameters)));
      const snapshotId = chosen.snapshot?.["snapshot-id"];
      return {
        table: withUnits(answer.table, this.#parts.unitOfType),
        meta: {
          tables: { [name]: { snapshot_id: snapshotId === undefined ? null : String(snapshotId) } },
          complete_through: chosen.isNewest ? completeThrough : null,
          ...unitsOf(plan.unitsOf, this.#parts.unitOfType),
        },
        page: { cursor: nextCursor(plan, answer, snapshotId, fingerprint) },
        stats: { rows: answer.table.rowCount, ...answer.read, elapsed_ms: roundMs(performance.now() - startedMs) },
      };
    } catch (error) {
      throw lakeProblem(error, name);
    }
  }

  #parse(key: string, question: QuestionDefinition, input: Readonly<Record<string, unknown>>): Parameters {
    const parser = this.#parsers.get(key) ?? parameterParser(question);
    this.#parsers.set(key, parser);
    const parsed = parser(input);
    if (parsed.ok) return parsed.values;
    throw invalidParameters(parsed.errors);
  }

  async #answer(plan: QuestionPlan, chosen: ChosenSnapshot, cursor: Cursor | undefined, asked: string): Promise<Read> {
    const { env, results } = this.#parts;
    const { table, snapshot } = chosen;
    if (snapshot === undefined) return { ...NOTHING, table: emptyTable(plan) };
    const names = columnNames(plan.table, scanSchema(table.metadata, snapshot));
    const where = renamePredicate(scanPredicate(plan, cursor), names);
    const scan = await planScan({ env, table, snapshotId: snapshot["snapshot-id"], where });
    const key = `${tableName(table.identifier)} ${table.metadata["table-uuid"]} ${snapshot["snapshot-id"]} ${asked}`;
    const marks = await checkFiles(env.store, tableName(table.identifier), filesOf(scan.tasks));
    const kept = results.get(key);
    if (kept !== undefined && sameMarks(kept, marks)) return { ...kept, read: { ...NOTHING.read, cached: true } };
    if (scan.tasks.length === 0) return { ...NOTHING, table: emptyTable(plan) };
    const read = await this.#read(plan, scan, cursor, tableName(table.identifier));
    results.set(key, { table: read.table, hasMore: read.hasMore, marks });
    return read;
  }

  async #read(plan: QuestionPlan, scan: ScanPlan, cursor: Cursor | undefined, table: string): Promise<Read> {
    const { env, footers, pool } = this.#parts;
    const columns = scanColumns(plan.reads, columnNames(plan.table, scan.schema));
    return pool.run(async (connection) => {
      try {
        const answer = await readAnswer(connection, env, plan, scan, cursor);
        const found = await footers.read(
          connection,
          answer.tasks.map((task) => task.file),
        );
        const where = scan.where ?? plan.where;
        const bytes = bytesRead(answer.tasks, scan.schema, columns, where, found);
        const read = { files_read: filesOf(answer.tasks).length, bytes_read: bytes, cached: false };
        return { ...answer, read: { ...read, cost_usd: bytes * USD_PER_BYTE } };
      } catch (error) {
        throw await findUnreadableFile(connection, env.store, table, scan, columns, error);
      }
    });
  }
}

type Read = Pick<CachedAnswer, "table" | "hasMore"> & {
  readonly read: Pick<AnswerStats, "files_read" | "bytes_read" | "cached" | "cost_usd">;
};

const NOTHING = { hasMore: false, read: { files_read: 0, bytes_read: 0, cached: false, cost_usd: 0 } } as const;

const emptyTable = (plan: QuestionPlan): AnswerTable => ({
  columns: plan.columns,
  rowCount: 0,
  values: plan.columns.map(() => []),
});

const roundMs = (ms: number): number => Math.round(ms * 100) / 100;

function sameMarks(kept: CachedAnswer, marks: CachedAnswer["marks"]): boolean {
  return (
    kept.marks.length === marks.length &&
    kept.marks.every((mark, index) => mark.modifiedMs === marks[index]!.modifiedMs)
  );
}

/** What tells pages of one question apart. */
function pageOf({ cursor, limit }: Parameters): Parameters {
  return { ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) };
}

function readCursor(parameters: Parameters, fingerprint: string): Cursor | undefined {
  const text = parameters["cursor"];
  if (typeof text !== "string") return undefined;
  const cursor = decodeCursor(text, fingerprint);
  if (cursor === undefined) throw invalidCursor("cursor", "cursor is not one that this service gave");
  if (cursor === "other_question") {
    throw invalidCursor("same_question", "cursor belongs to a question with other parameters");
  }
  return cursor;
}

function nextCursor(
  plan: QuestionPlan,
  answer: Read,
  snapshotId: bigint | undefined,
  fingerprint: string,
): string | null {
  if (!answer.hasMore || plan.key === undefined || snapshotId === undefined) return null;
  const { table } = answer;
  const key = plan.key.columns.map(({ name }) => {
    const value = columnValues(table, name)[table.rowCount - 1];
    return typeof value === "string" ? value : BigInt(value as number | bigint);
  });
  return encodeCursor({ snapshotId, key }, fingerprint);
}

function invalidCursor(rule: string, message: string): Problem {
  return invalidParameters([{ field: "cursor", rule, message }]);
}

/** 400 that names every wrong parameter. */
export function invalidParameters(errors: readonly { field: string; rule: string; message: string }[]): Problem {
  const detail = errors.map((error) => error.message).join("; ");
  return new Problem(400, "invalid_parameter", detail, { errors });
}
