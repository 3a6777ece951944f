import { declareDataset } from "../dataset-declaration.ts";
import { createMarketDataset } from "./dataset.ts";
import { MARKET_QUESTIONS } from "./questions/definitions.ts";

/** The market lake; its namespaces and tables have the names that its documents give them. */
export const marketDeclaration = declareDataset({
  questions: MARKET_QUESTIONS,
  settings: {},
  create: createMarketDataset,
});
