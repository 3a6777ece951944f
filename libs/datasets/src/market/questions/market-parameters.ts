import { dateRange } from "../../questions/shared-parameters.ts";

/** What several questions of the market lake have. */

export const tradingRange = dateRange("First date, inclusive.", "Last date, inclusive.", ["2022-01-03", "2022-12-28"]);

export const market = {
  name: "market",
  kind: "choice",
  choices: ["us", "kr"],
  doc: "Which market; needed for a ticker that exists in both.",
} as const;

export const REFUSALS = {
  404: "A ticker, security or portfolio that is not known.",
  409: "The name of the portfolio is taken.",
  413: "More rows are needed than one answer may read.",
  422: "Stored data that nothing can be computed from: the detail names it.",
} as const;
