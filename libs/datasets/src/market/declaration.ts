import { declareDataset } from "../dataset-declaration.ts";
import { createMarketDataset } from "./dataset.ts";

/** The market lake; its namespaces and tables have the names that its documents give them. */
export const marketDeclaration = declareDataset({ settings: {}, create: createMarketDataset });
