import type { Answer } from "./answer.ts";
import { HEALTH_QUESTIONS } from "./health.ts";
import { MARKET_QUESTIONS } from "./market.ts";
import type { BacktestDocument } from "./market-portfolios.ts";
import { questionKey, questionPath, type ParametersOf, type QuestionDefinition, type RowOf } from "./question.ts";

/** Every question that Firn answers. A new lake adds its list here. */
export const QUESTIONS = [...HEALTH_QUESTIONS, ...MARKET_QUESTIONS] as const;

type AnyQuestion = (typeof QUESTIONS)[number];

/** `health.daily` and so on. */
export type QuestionKey = { [Q in AnyQuestion as `${Q["dataset"]}.${Q["name"]}`]: Q } extends infer M
  ? keyof M & string
  : never;

/** What `data` is where it is one object. */
interface Documents {
  readonly "backtest.run": BacktestDocument;
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

const ALL: readonly QuestionDefinition[] = QUESTIONS;

/** The definition of a question, undefined when there is none of that name. */
export function findQuestion(dataset: string, name: string): QuestionDefinition | undefined {
  return ALL.find((question) => question.dataset === dataset && question.name === name);
}

/**
 * The question of a NATS subject after `query.`: its key, or its path where that has no parameters (`price.daily`,
 * `regime.list`, `regime`).
 */
export function questionOfSubject(subject: string): QuestionDefinition | undefined {
  const path = `/api/${subject.replaceAll(".", "/")}`;
  return ALL.find((question) => questionKey(question) === subject || questionPath(question) === path);
}

/** The questions of a path, one a method, with the parameters that stand in it; empty when there is none. */
export function questionsOfPath(
  path: string,
): readonly { readonly question: QuestionDefinition; readonly parameters: Readonly<Record<string, string>> }[] {
  const matches = ALL.flatMap((question) => {
    const parameters = matchPath(questionPath(question), path);
    return parameters === undefined ? [] : [{ question, parameters }];
  });
  // A word in the path comes before a parameter in its place: `/api/meta/tickers`.
  const named = matches.filter(({ parameters }) => Object.keys(parameters).length === 0);
  return named.length > 0 ? named : matches;
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const [parts, given] = [template.split("/"), path.split("/")];
  if (parts.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name !== undefined) parameters[name] = given[index]!;
    else if (part !== given[index]) return undefined;
  }
  return parameters;
}
