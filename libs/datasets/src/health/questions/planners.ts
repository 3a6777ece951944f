import { planPeriods } from "../../questions/periods.ts";
import { plannedQuestions } from "../../questions/planned-questions.ts";
import { planErrors, planLatest, planRaw } from "../../questions/records.ts";
import { planCompare } from "./compare.ts";
import { HEALTH_QUESTIONS } from "./definitions.ts";
import { planTypes } from "./held-types.ts";
import { planTop } from "./top.ts";

/** The questions of the health lake and how each is answered. */
export const healthQuestions = plannedQuestions(HEALTH_QUESTIONS, {
  "health.daily": (input) => planPeriods(input, "daily"),
  "health.weekly": (input) => planPeriods(input, "weekly"),
  "health.monthly": (input) => planPeriods(input, "monthly"),
  "health.compare": planCompare,
  "health.top": planTop,
  "health.raw": planRaw,
  "health.errors": planErrors,
  "health.types": planTypes,
  "health.latest": planLatest,
});
