import { planPeriods } from "../../questions/periods.ts";
import { plannedQuestions } from "../../questions/planned-questions.ts";
import { planErrors } from "../../questions/records.ts";
import { planSalesComparison } from "./compare.ts";
import { SALES_QUESTIONS } from "./definitions.ts";
import { planRevenue } from "./revenue.ts";

/** The questions of the sales lake and how each is answered. */
export const salesQuestions = plannedQuestions(SALES_QUESTIONS, {
  "sales.daily-summary": (input) => planPeriods(input, "daily-summary"),
  "sales.revenue": planRevenue,
  "sales.compare": planSalesComparison,
  "sales.errors": planErrors,
});
