export { createDatasets, datasets, datasetSettings, QUESTIONS } from "./registry.ts";
export type { DatasetSettings } from "./registry.ts";
export { datasetRegistry } from "./dataset-registry.ts";
export type { DatasetRegistry } from "./dataset-registry.ts";
export { declareDataset, namespaceSetting, tableNameSetting } from "./dataset-declaration.ts";
export type { DatasetDeclaration, DatasetSetting } from "./dataset-declaration.ts";
export { columnsOf } from "./questions/answer-columns.ts";
export { questionsOf } from "./questions/derived.ts";
export { planPeriods, rollupOf } from "./questions/periods.ts";
export { plannedQuestions } from "./questions/planned-questions.ts";
export { planErrors, planLatest, planRaw } from "./questions/records.ts";
export { selectedRows } from "./questions/selected-rows.ts";
export type { SelectedRows } from "./questions/selected-rows.ts";
export { inDates, inTimes, ofDimensions, oneOf } from "./questions/selection.ts";
export {
  cursor,
  dateRange,
  endTime,
  limit,
  ordered,
  orderedTime,
  startTime,
  wholeRange,
} from "./questions/shared-parameters.ts";
export { errorsTable } from "./errors-table.ts";
export { optional, partitionField, required } from "./table-columns.ts";
export { RecordRun } from "./payload/record-run.ts";
export type { JsonObject } from "./payload/read-payload.ts";
export type { RawRow, RecordRules } from "./payload/record-run.ts";
export { excerpt, RecordProblems, wrongKind } from "./payload/record-problems.ts";
export { optionalInstant, optionalName, optionalText, requiredInstant, requiredText } from "./payload/read-fields.ts";
export { createHealthDataset } from "./health/dataset.ts";
export { createSalesDataset } from "./sales/dataset.ts";
export { salesTables } from "./sales/tables.ts";
export type { SalesTableOptions, SalesTables } from "./sales/tables.ts";
export { healthTables } from "./health/tables.ts";
export type { AggregatePartitioning, HealthTableOptions, HealthTables } from "./health/tables.ts";
export { canonicalHealthType, findHealthType, healthUnit } from "./health/aliases.ts";
export { HEALTH_TYPES } from "./health/quantity-types.ts";
export type { HealthType } from "./health/quantity-types.ts";
export { marketTables } from "./market/tables.ts";
export type { MarketTables } from "./market/tables.ts";
