export { createDatasets, datasets } from "./registry.ts";
export type { DatasetOptions } from "./registry.ts";
export { createHealthDataset } from "./health/dataset.ts";
export { healthTables } from "./health/tables.ts";
export type { AggregatePartitioning, HealthTableOptions, HealthTables } from "./health/tables.ts";
export { canonicalHealthType, findHealthType, healthUnit } from "./health/aliases.ts";
export { HEALTH_TYPES } from "./health/quantity-types.ts";
export type { HealthType } from "./health/quantity-types.ts";
