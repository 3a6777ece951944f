import type { QuestionKey } from "@firn/client";
import { planCompare } from "./compare.ts";
import { planTypes } from "./held-types.ts";
import { planPeriods } from "./periods.ts";
import type { QuestionPlanner } from "./question-plan.ts";
import { planErrors, planLatest, planRaw } from "./records.ts";
import { planTop } from "./top.ts";

/** How each question is planned. A question without a planner does not compile. */
export const PLANNERS: Readonly<Record<QuestionKey, QuestionPlanner>> = {
  "health.daily": (input) => planPeriods(input, "daily"),
  "health.weekly": (input) => planPeriods(input, "weekly"),
  "health.monthly": (input) => planPeriods(input, "monthly"),
  "health.compare": planCompare,
  "health.top": planTop,
  "health.raw": planRaw,
  "health.errors": planErrors,
  "health.types": planTypes,
  "health.latest": planLatest,
};
