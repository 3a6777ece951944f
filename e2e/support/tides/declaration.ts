import { declareDataset, namespaceSetting } from "@firn/datasets";
import { createTidesDataset } from "./dataset.ts";
import { TIDE_QUESTIONS } from "./questions.ts";

/** The tides lake, and what a site may choose of it. */
export const tidesDeclaration = declareDataset({
  questions: TIDE_QUESTIONS,
  settings: { tidesNamespace: namespaceSetting("FIRN_TIDES_DATABASE", "tides", "Namespace of the tides tables") },
  create: ({ tidesNamespace }) => createTidesDataset(tidesNamespace),
});
