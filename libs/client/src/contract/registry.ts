import { HEALTH_QUESTIONS } from "./health.ts";
import type { ParametersOf, QuestionDefinition, RowOf } from "./question.ts";

/** Every question that Firn answers. A new lake adds its list here. */
export const QUESTIONS = [...HEALTH_QUESTIONS] as const;

type AnyQuestion = (typeof QUESTIONS)[number];

/** `health.daily` and so on. */
export type QuestionKey = { [Q in AnyQuestion as `${Q["dataset"]}.${Q["name"]}`]: Q } extends infer M
  ? keyof M & string
  : never;

type QuestionOf<K extends QuestionKey> = Extract<
  AnyQuestion,
  { readonly dataset: DatasetOf<K>; readonly name: NameOf<K> }
>;
type DatasetOf<K> = K extends `${infer D}.${string}` ? D : never;
type NameOf<K> = K extends `${string}.${infer N}` ? N : never;

export type QuestionParameters<K extends QuestionKey> = ParametersOf<QuestionOf<K>>;
export type QuestionRow<K extends QuestionKey> = RowOf<QuestionOf<K>>;

/** The definition of a question, undefined when there is none of that name. */
export function findQuestion(dataset: string, name: string): QuestionDefinition | undefined {
  return QUESTIONS.find((question) => question.dataset === dataset && question.name === name);
}
