import { questionIndex, questionKey, type QuestionIndex } from "@firn/client";
import type { Dataset, QuestionPlanner } from "@firn/core";
import { questionsOf } from "@firn/datasets";

/** The questions that this service answers, and how. */
export interface AskedQuestions {
  readonly index: QuestionIndex;
  plannerOf(key: string): QuestionPlanner;
}

/**
 * The questions of every dataset.
 * @param planners of those that a dataset names and does not plan itself, by key
 * @throws Error where a question has no planner, or two have one key
 */
export function askedQuestions(
  datasets: Iterable<Dataset>,
  planners: Readonly<Record<string, QuestionPlanner>> = {},
): AskedQuestions {
  const all = [...datasets].flatMap(questionsOf);
  const byKey = new Map<string, QuestionPlanner>();
  for (const { definition, plan } of all) {
    const key = questionKey(definition);
    const planner = plan ?? planners[key];
    if (planner === undefined) throw new Error(`question ${key} has no planner`);
    if (byKey.has(key)) throw new Error(`there are two questions ${key}`);
    byKey.set(key, planner);
  }
  return {
    index: questionIndex(all.map(({ definition }) => definition)),
    plannerOf: (key) => byKey.get(key)!,
  };
}
