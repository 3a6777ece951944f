/** Prices in US dollars a month, as the reference takes them (AWS, Seoul, 2024). The only place that has any. */
export const PRICES = {
  databaseInstance: 15.33,
  databaseStorageGb: 0.115,
  databaseBackupGb: 0.095,
  databaseIo: 0.45,
  objectStorageGb: 0.023,
  objectRequests: 0.05,
  objectTransfer: 0.08,
  catalogCalls: 0.1,
  scannedTb: 5,
  queryResults: 0.2,
  apiServer: 13,
  ingestionTasks: 1.09,
} as const;

/** What the reference allocates to PostgreSQL: with the time series in it, and without them. */
export const ALLOCATED_GB = { before: 50, after: 10 } as const;
