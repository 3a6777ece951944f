import {
  questionKey,
  type DatasetQuestion,
  type QuestionDefinition,
  type QuestionKeyOf,
  type QuestionPlanner,
} from "@firn/core";

/** Questions with how each is planned, by its key (`health.daily`); one without a planner does not compile. */
export function plannedQuestions<Q extends QuestionDefinition>(
  definitions: readonly Q[],
  planners: Readonly<Record<QuestionKeyOf<Q>, QuestionPlanner>>,
): readonly DatasetQuestion[] {
  return definitions.map((definition) => ({
    definition,
    plan: planners[questionKey(definition) as QuestionKeyOf<Q>],
  }));
}
