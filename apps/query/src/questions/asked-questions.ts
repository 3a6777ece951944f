import {
  deriveQuestions,
  QUESTIONS,
  questionIndex,
  questionKey,
  type QuestionDefinition,
  type QuestionIndex,
} from "@firn/client";
import type { Dataset } from "@firn/core";
import { derivedPlanner, PLANNERS } from "./planners.ts";
import type { QuestionPlanner } from "./question-plan.ts";

/** The questions that this service answers, and how. */
export interface AskedQuestions {
  readonly index: QuestionIndex;
  plannerOf(key: string): QuestionPlanner;
}

/** Those of the contract, and those that each dataset answers of itself; one of the contract comes before. */
export function askedQuestions(datasets: Iterable<Dataset>): AskedQuestions {
  const planners = new Map<string, QuestionPlanner>(Object.entries(PLANNERS));
  const all: QuestionDefinition[] = [...QUESTIONS];
  for (const dataset of datasets) {
    for (const question of deriveQuestions(dataset)) {
      const key = questionKey(question);
      if (planners.has(key)) continue;
      planners.set(key, derivedPlanner(dataset, question.name));
      all.push(question);
    }
  }
  return {
    index: questionIndex(all),
    plannerOf: (key) => {
      const planner = planners.get(key);
      if (planner === undefined) throw new Error(`question ${key} has no planner`);
      return planner;
    },
  };
}
