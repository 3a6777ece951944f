import type { Dataset } from "@firn/core";

import type { SettingValues } from "./dataset-declaration.ts";
import { healthDeclaration } from "./health/declaration.ts";
import { marketDeclaration } from "./market/declaration.ts";
import { salesDeclaration } from "./sales/declaration.ts";

/** Every lake; a new one is one folder and its name here. */
const declarations = [healthDeclaration, salesDeclaration, marketDeclaration] as const;

type Declared = (typeof declarations)[number]["settings"];
type AllOf<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
type AllSettings = AllOf<Declared>;

/** What a site may choose, by variables of the environment. Every part of a lake must have the same. */
export const datasetSettings = Object.assign({}, ...declarations.map(({ settings }) => settings)) as AllSettings;

/** Values of these settings by their keys. */
export type DatasetSettings = SettingValues<AllSettings>;

const defaults = Object.fromEntries(
  declarations.flatMap(({ settings }) => Object.entries(settings).map(([key, setting]) => [key, setting.default])),
) as DatasetSettings;

/**
 * Every dataset by its name.
 * @param chosen what is absent has its default
 * @throws RangeError where values do not go together
 */
export function createDatasets(chosen: Partial<DatasetSettings> = {}): ReadonlyMap<string, Dataset> {
  const values = { ...defaults, ...chosen };
  return new Map(declarations.map(({ create }) => create(values)).map((dataset) => [dataset.name, dataset]));
}

/** The datasets with their default names and partitioning. */
export const datasets: ReadonlyMap<string, Dataset> = createDatasets();
