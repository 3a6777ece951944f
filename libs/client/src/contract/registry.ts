import type { Answer } from "./answer.ts";
import { HEALTH_QUESTIONS } from "./health.ts";
import { MARKET_QUESTIONS } from "./market.ts";
import type { BacktestDocument } from "./market-portfolios.ts";
import { questionIndex } from "./question-index.ts";
import type { ParametersOf, QuestionDefinition, RowOf } from "@firn/core";
import { SALES_QUESTIONS, type SalesComparison } from "./sales.ts";

/**
 * Every question that Firn knows by name and type. A lake answers those of `deriveQuestions` without standing here.
 */
export const QUESTIONS = [...HEALTH_QUESTIONS, ...SALES_QUESTIONS, ...MARKET_QUESTIONS] as const;

type AnyQuestion = (typeof QUESTIONS)[number];

/** `health.daily` and so on. */
export type QuestionKey = { [Q in AnyQuestion as `${Q["dataset"]}.${Q["name"]}`]: Q } extends infer M
  ? keyof M & string
  : never;

/** What `data` is where it is one object. */
interface Documents {
  readonly "backtest.run": BacktestDocument;
  readonly "sales.compare": SalesComparison;
}

/** Questions whose answers have rows. */
export type RowsQuestionKey = Exclude<QuestionKey, keyof Documents>;

type QuestionOf<K extends QuestionKey> = Extract<
  AnyQuestion,
  { readonly dataset: DatasetOf<K>; readonly name: NameOf<K> }
>;
type DatasetOf<K> = K extends `${infer D}.${string}` ? D : never;
type NameOf<K> = K extends `${string}.${infer N}` ? N : never;

export type QuestionParameters<K extends QuestionKey> = ParametersOf<QuestionOf<K>>;
export type QuestionRow<K extends QuestionKey> = RowOf<QuestionOf<K>>;
/** The whole answer to a question. */
export type QuestionReply<K extends QuestionKey> = K extends keyof Documents
  ? Omit<Answer, "data"> & { readonly data: Documents[K] }
  : Answer<QuestionRow<K>>;

const STATIC = questionIndex(QUESTIONS);

/** The definition of a question, undefined when there is none of that name. */
export function findQuestion(dataset: string, name: string): QuestionDefinition | undefined {
  return STATIC.all.find((question) => question.dataset === dataset && question.name === name);
}

/** The question of a NATS subject after `query.` (QuestionIndex, `ofSubject`). */
export function questionOfSubject(subject: string): QuestionDefinition | undefined {
  return STATIC.ofSubject(subject);
}
