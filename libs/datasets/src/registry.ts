import type { Dataset } from "@firn/core";

import { createHealthDataset } from "./health/dataset.ts";
import type { HealthTableOptions } from "./health/tables.ts";
import { createMarketDataset } from "./market/dataset.ts";
import { createSalesDataset } from "./sales/dataset.ts";
import type { SalesTableOptions } from "./sales/tables.ts";

/** What a site may choose per dataset. */
export interface DatasetOptions {
  readonly health?: HealthTableOptions;
  readonly sales?: SalesTableOptions;
}

/** Every dataset by its name; a new one is one folder and one line here. */
export function createDatasets(options: DatasetOptions = {}): ReadonlyMap<string, Dataset> {
  const all = [createHealthDataset(options.health), createSalesDataset(options.sales), createMarketDataset()];
  return new Map(all.map((dataset) => [dataset.name, dataset]));
}

/** The datasets with their default names and partitioning. */
export const datasets: ReadonlyMap<string, Dataset> = createDatasets();
