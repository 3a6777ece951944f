import type { DocumentOf, ParametersOf, QuestionDefinition, QuestionKeyOf, RowOf } from "@firn/core";
import { QUESTIONS } from "@firn/datasets";
import type { Answer } from "./answer.ts";
import { questionIndex } from "./question-index.ts";

type AnyQuestion = (typeof QUESTIONS)[number];

/** A question of a lake that is known by name and type: `health.daily` and so on. */
export type QuestionKey = QuestionKeyOf<AnyQuestion>;

type QuestionOf<K extends QuestionKey> = Extract<
  AnyQuestion,
  { readonly dataset: DatasetOf<K>; readonly name: NameOf<K> }
>;
type DatasetOf<K> = K extends `${infer D}.${string}` ? D : never;
type NameOf<K> = K extends `${string}.${infer N}` ? N : never;

/** Questions whose answers have rows. */
export type RowsQuestionKey = {
  [K in QuestionKey]: [DocumentOf<QuestionOf<K>>] extends [never] ? K : never;
}[QuestionKey];

export type QuestionParameters<K extends QuestionKey> = ParametersOf<QuestionOf<K>>;
export type QuestionRow<K extends QuestionKey> = RowOf<QuestionOf<K>>;
/** The whole answer to a question: rows, or the one object that its definition describes. */
export type QuestionReply<K extends QuestionKey> = [DocumentOf<QuestionOf<K>>] extends [never]
  ? Answer<QuestionRow<K>>
  : Omit<Answer, "data"> & { readonly data: DocumentOf<QuestionOf<K>> };

const STATIC = questionIndex(QUESTIONS);

/** The definition of a question, undefined when there is none of that name. */
export function findQuestion(dataset: string, name: string): QuestionDefinition | undefined {
  return STATIC.all.find((question) => question.dataset === dataset && question.name === name);
}

/** The question of a NATS subject after `query.` (QuestionIndex, `ofSubject`). */
export function questionOfSubject(subject: string): QuestionDefinition | undefined {
  return STATIC.ofSubject(subject);
}
