export { createDatasets, datasets } from "./registry.ts";
export type { DatasetOptions } from "./registry.ts";
export { createHealthDataset } from "./health/dataset.ts";
export { healthTables } from "./health/tables.ts";
export type { AggregatePartitioning, HealthTableOptions, HealthTables } from "./health/tables.ts";
