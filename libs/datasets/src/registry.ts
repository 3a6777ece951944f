import type { Dataset } from "@firn/core";

import type { SettingValues } from "./dataset-declaration.ts";
import { datasetRegistry } from "./dataset-registry.ts";
import { healthDeclaration } from "./health/declaration.ts";
import { marketDeclaration } from "./market/declaration.ts";
import { salesDeclaration } from "./sales/declaration.ts";

/** Every lake; a new one is one folder and its name here. */
const registry = datasetRegistry([healthDeclaration, salesDeclaration, marketDeclaration]);

/** What a site may choose, by variables of the environment. Every part of a lake must have the same. */
export const datasetSettings = registry.settings;

/** Values of these settings by their keys. */
export type DatasetSettings = SettingValues<typeof datasetSettings>;

/** The questions of every lake that a client knows by name and type. */
export const QUESTIONS = registry.questions;

/**
 * Every dataset by its name.
 * @param chosen what is absent has its default
 * @throws RangeError where values do not go together
 */
export const createDatasets = registry.create;

/** The datasets with their default names and partitioning. */
export const datasets: ReadonlyMap<string, Dataset> = createDatasets();
