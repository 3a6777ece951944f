import {
  questionKey,
  type AnswerMeta,
  type AnswerStats,
  type QuestionDefinition,
  type QuestionIndex,
} from "@firn/client";
import {
  columnValues,
  QuestionRefusal,
  sliceRows,
  tablesOf,
  type AnswerDocument,
  type AnswerTable,
  type ComputedPlan,
  type Dataset,
  type Parameters,
  type QuestionPlan,
  type QuestionPlanner,
  type Relations,
} from "@firn/core";
import { Problem } from "@firn/service";
import { invalidParameters } from "../parameters/invalid-parameters.ts";
import { parameterParser, type ParameterParser } from "../parameters/parse-parameters.ts";
import { askedQuestions, type AskedQuestions } from "./asked-questions.ts";
import { readComputed } from "./computed-answer.ts";
import {
  canonicalText,
  decodeCursor,
  decodeOffsetCursor,
  encodeCursor,
  encodeOffsetCursor,
  fingerprintOf,
  type OffsetCursor,
} from "./cursor.ts";
import { PlanSession, type OpenedPlan, type PlanRead, type PlanSessionParts } from "./plan-session.ts";
import { unitsOf, withUnits } from "./units.ts";

/** An answer before it has a form (JSON, CSV, Arrow). */
export interface QuestionAnswer {
  readonly table: AnswerTable;
  /** What stands in `data` in the place of the rows. */
  readonly document?: AnswerDocument;
  readonly meta: AnswerMeta;
  readonly page: { readonly cursor: string | null };
  readonly stats: AnswerStats;
}

export interface QuestionServiceParts extends PlanSessionParts {
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly relations: Relations;
  /** Of questions that a dataset names and does not plan itself, by key. */
  readonly planners?: Readonly<Record<string, QuestionPlanner>>;
  /** Told of each answer, by the question's name. */
  answered?(question: string, stats: AnswerStats): void;
}

interface Asked {
  readonly key: string;
  readonly dataset: Dataset;
  readonly parameters: Parameters;
  readonly fingerprint: string;
}

type Answered = Pick<QuestionAnswer, "table" | "document" | "page"> & Partial<Pick<AnswerMeta, "unit">>;

/** Answers questions: parameters → plan → files → rows. Every way to ask goes through here. */
export class QuestionService {
  readonly #parts: QuestionServiceParts;
  readonly #questions: AskedQuestions;
  readonly #parsers = new Map<string, ParameterParser>();

  constructor(parts: QuestionServiceParts) {
    this.#parts = parts;
    this.#questions = askedQuestions(parts.datasets.values(), parts.planners);
  }

  /** What can be asked. */
  get questions(): QuestionIndex {
    return this.#questions.index;
  }

  /** @param input parameters as they came, by name. Throws a Problem for what the asker or an operator must mend. */
  async ask(question: QuestionDefinition, input: Readonly<Record<string, unknown>>): Promise<QuestionAnswer> {
    const startedMs = performance.now();
    const key = questionKey(question);
    const parameters = this.#parse(key, question, input);
    const lake = question.lake ?? question.dataset;
    const dataset = this.#parts.datasets.get(lake);
    if (dataset === undefined) throw new Problem(404, "not_found", `there is no lake ${lake}`);
    const asked = { key, dataset, parameters, fingerprint: fingerprintOf(key, parameters) };
    const offset = readOffset(asked);
    const session = new PlanSession(this.#parts, parameters, offset?.snapshots, tablesOf(dataset));
    const read = async (plan: QuestionPlan) => (await session.read(await session.open(plan), planText(plan))).table;
    const measure = async (plan: QuestionPlan) => session.measure(await session.open(plan));
    const timeMs = () => session.timeMs();
    const { relations } = this.#parts;
    const planner = this.#questions.plannerOf(key);
    const plan = await refusing(() => planner({ dataset, parameters, relations, read, measure, timeMs }));
    const { unit, ...answer } =
      "plans" in plan
        ? await refusing(() => this.#compute(plan, session, asked, offset))
        : await this.#list(plan, session, asked);
    session.requireAskedSnapshot();
    const elapsedMs = roundMs(performance.now() - startedMs);
    const stats = { rows: answer.table.rowCount, ...session.cost, elapsed_ms: elapsedMs };
    this.#parts.answered?.(key, stats);
    return { ...answer, meta: { ...metaOf(session.tables), ...(unit === undefined ? {} : { unit }) }, stats };
  }

  #parse(key: string, question: QuestionDefinition, input: Readonly<Record<string, unknown>>): Parameters {
    const parser = this.#parsers.get(key) ?? parameterParser(question);
    this.#parsers.set(key, parser);
    const parsed = parser(input);
    if (parsed.ok) return parsed.values;
    throw invalidParameters(parsed.errors);
  }

  /** Rows of one table, page by page. */
  async #list(plan: QuestionPlan, session: PlanSession, asked: Asked): Promise<Answered> {
    const { dataset, parameters, fingerprint } = asked;
    const cursor = readCursor(parameters, (text) => decodeCursor(text, fingerprint));
    const opened = await session.open(plan, cursor);
    const answer = await session.read(opened, canonicalText(fingerprint, pageOf(parameters)));
    return {
      table: withUnits(answer.table, dataset.kinds),
      page: { cursor: nextCursor(opened, answer, fingerprint) },
      ...unitsOf(plan.unitsOf, dataset.kinds),
    };
  }

  /** What is computed is computed whole; a page is a part of its rows. */
  async #compute(
    plan: ComputedPlan,
    session: PlanSession,
    { key, parameters, fingerprint }: Asked,
    at: OffsetCursor | undefined,
  ): Promise<Answered> {
    if (at === undefined) readCursor(parameters, () => undefined);
    const computed = await readComputed(plan, session, `${key} ${fingerprint}`);
    const answer = (await plan.finish?.(computed)) ?? computed;
    const from = at?.offset ?? 0;
    const to = plan.limit === undefined ? answer.table.rowCount : from + plan.limit;
    const snapshots = new Map(
      session.tables.flatMap(({ name, snapshotId: id }) => (id === undefined ? [] : [[name, id]])),
    );
    const cursor = to < answer.table.rowCount ? encodeOffsetCursor({ offset: to, snapshots }, fingerprint) : null;
    return { ...answer, table: sliceRows(answer.table, from, to), page: { cursor } };
  }
}

/** What a planner refuses is a Problem to the asker. */
async function refusing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QuestionRefusal)) throw error;
    const { status, code, message, errors } = error;
    throw new Problem(status, code, message, { errors, cause: error });
  }
}

function metaOf(tables: readonly OpenedPlan[]): AnswerMeta {
  const known = tables.every(({ isNewest, completeThrough }) => isNewest && completeThrough !== null);
  const through = tables.map(({ completeThrough }) => completeThrough).sort();
  return {
    tables: Object.fromEntries(
      tables.map(({ name, snapshotId: id }) => [name, { snapshot_id: id === undefined ? null : String(id) }]),
    ),
    complete_through: known ? (through[0] ?? null) : null,
  };
}

/** Tells apart what plans of one question read. */
function planText({ where, reads, sql, limit }: QuestionPlan): string {
  return canonicalText(sql("asked", { after: "TRUE", limit }), { where: JSON.stringify(where, bigintText), reads });
}

const bigintText = (_: string, value: unknown): unknown => (typeof value === "bigint" ? { n: String(value) } : value);

const roundMs = (ms: number): number => Math.round(ms * 100) / 100;

/** What tells pages of one question apart. */
function pageOf({ cursor, limit }: Parameters): Parameters {
  return { ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) };
}

function readCursor<C>(
  parameters: Parameters,
  decode: (text: string) => C | "other_question" | undefined,
): C | undefined {
  const text = parameters["cursor"];
  if (typeof text !== "string") return undefined;
  const cursor = decode(text);
  if (cursor === undefined) throw invalidCursor("cursor", "cursor is not one that this service gave");
  if (cursor === "other_question") {
    throw invalidCursor("same_question", "cursor belongs to a question with other parameters");
  }
  return cursor as C;
}

/** Where a page of a computed answer starts; undefined also for a cursor of rows of one table. */
function readOffset({ parameters, fingerprint }: Asked): OffsetCursor | undefined {
  const text = parameters["cursor"];
  const cursor = typeof text === "string" ? decodeOffsetCursor(text, fingerprint) : undefined;
  if (cursor === "other_question") {
    throw invalidCursor("same_question", "cursor belongs to a question with other parameters");
  }
  return cursor;
}

function nextCursor({ plan, snapshotId }: OpenedPlan, answer: PlanRead, fingerprint: string): string | null {
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
