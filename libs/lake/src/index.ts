// Errors
export { LakeError, isLakeError, type LakeErrorKind, type LakeErrorOptions } from "./lake-error.ts";

// Table metadata
export {
  allFields,
  columnByName,
  fieldById,
  highestFieldId,
  isNested,
  type FieldPlace,
  type IcebergType,
  type ListType,
  type MapType,
  type NestedType,
  type PrimitiveType,
  type Schema,
  type StructField,
  type StructType,
  type UnnumberedSchema,
} from "./metadata/schema.ts";
export {
  NO_PARTITION_FIELD_ID,
  UNPARTITIONED,
  isUnpartitioned,
  type PartitionField,
  type PartitionSpec,
  type UnnumberedPartitionSpec,
} from "./metadata/partition-spec.ts";
export { UNSORTED, type SortField, type SortOrder, type UnnumberedSortOrder } from "./metadata/sort-order.ts";
export {
  MAIN_BRANCH,
  type Snapshot,
  type SnapshotOperation,
  type SnapshotRef,
  type SnapshotSummary,
} from "./metadata/snapshot.ts";
export {
  currentSchema,
  currentSnapshot,
  defaultSortOrder,
  defaultSpec,
  schemaById,
  snapshotById,
  specById,
  type BlobMetadata,
  type MetadataLogEntry,
  type PartitionStatisticsFile,
  type SnapshotLogEntry,
  type StatisticsFile,
  type TableMetadata,
} from "./metadata/table-metadata.ts";
export { checkRequirements, type TableRequirement } from "./metadata/requirements.ts";
export { LAST_ADDED, type TableUpdate } from "./metadata/updates.ts";
export { applyUpdates, type ApplyContext } from "./metadata/apply-updates.ts";
export {
  expiredMetadataFiles,
  isCreate,
  planCommit,
  referencedSnapshotsOnly,
  type CommitBase,
} from "./metadata/commit-plan.ts";
export { evolveSchema, type ColumnPosition, type EvolvedSchema, type SchemaChange } from "./metadata/evolve-schema.ts";
export { evolveSortOrder, evolveSpec, type PartitionChoice, type SortChoice } from "./metadata/evolve-layout.ts";
export { nameMapping, type MappedName, type NameMapping } from "./metadata/name-mapping.ts";
export { newTableMetadata, type NewTable } from "./metadata/new-table.ts";
export {
  createTableRequest,
  definedIdentifier,
  definedType,
  schemaFromColumns,
  type DefinedColumn,
  type DefinedTable,
} from "./metadata/table-definition.ts";
export { metadataBytes, metadataFolder, nextMetadataLocation, readMetadata } from "./metadata/metadata-file.ts";
export { FORMAT_VERSION_MAX, parseTableMetadata, tableMetadataAt } from "./metadata/parse-table-metadata.ts";
export { parseLakeJson, stringifyLakeJson } from "./metadata/json.ts";
export { tableCommitAt } from "./metadata/parse-commit.ts";
export { partitionSpecAt, schemaAt, sortOrderAt } from "./metadata/parse-schema.ts";
export {
  arrayAt,
  booleanAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  optionalAt,
  shapeError,
  stringAt,
  stringMapAt,
} from "./metadata/json-shape.ts";

// Views
export {
  VIEW_FORMAT_VERSION,
  type ViewLogEntry,
  type ViewMetadata,
  type ViewRepresentation,
  type ViewVersion,
} from "./view/view-metadata.ts";
export { type ViewCommit, type ViewRequirement, type ViewUpdate } from "./view/view-updates.ts";
export { planViewCommit } from "./view/apply-view-updates.ts";
export { viewCommitAt, viewVersionAt } from "./view/parse-view.ts";
export { readViewMetadata } from "./view/view-file.ts";

// Catalog
export {
  tableName,
  type Catalog,
  type CatalogConfig,
  type CreateTableRequest,
  type LoadTableOptions,
  type LoadedTable,
  type Namespace,
  type NamespacePropertiesChange,
  type NamespacePropertiesChanged,
  type TableCommit,
  type TableIdentifier,
} from "./catalog/catalog.ts";
export { MemoryCatalog, type MemoryCatalogOptions } from "./catalog/memory-catalog.ts";
export { openCatalog, type CatalogAddress } from "./catalog/open-catalog.ts";
export type { RestAuth } from "./catalog/rest-auth.ts";
export { RestCatalog, type RestCatalogOptions } from "./catalog/rest-catalog.ts";
export type { RestSessionOptions } from "./catalog/rest-session.ts";
export { VendedCredentials, type StorageCredential } from "./catalog/vended-credentials.ts";
export {
  catalogFailure,
  checkIdentifier,
  checkNamespace,
  namespaceFolder,
  namespaceText,
  tableFolder,
} from "./catalog/identifier-rules.ts";
export { changedProperties } from "./catalog/namespace-properties.ts";

// Object store
export type {
  AdoptMove,
  AdoptedObject,
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutOptions,
} from "./store/object-store.ts";
export { openFileStore, type FileStoreOptions } from "./store/file-store.ts";
export { isS3Location, openStore, type OpenStoreOptions } from "./store/open-store.ts";
export type {
  ChecksumAlgorithm,
  S3Credentials,
  S3CredentialSource,
  S3Settings,
  VendedS3Access,
} from "./store/s3/s3-settings.ts";
export { checksummedName, checksumOf, checksumOfName, checksumOfNewFile } from "./store/named-checksum.ts";
export { memoryStore, type MemoryStore, type MemoryStoreOptions } from "./store/memory-store.ts";
export { isWithin, joinLocation, normaliseLocation, pathOfLocation } from "./store/location.ts";

// Files and manifests
export {
  FileContent,
  isDelete,
  type DataFile,
  type FileFormat,
  type LiveFile,
  type Partition,
  type PartitionValue,
} from "./manifest/data-file.ts";
export { decodeDataFiles, encodeDataFiles } from "./manifest/data-file-json.ts";
export { compareLiterals, equalLiterals } from "./manifest/compare-literals.ts";
export {
  BOUND_LENGTH_MAX,
  decodeSingleValue,
  encodeSingleValue,
  lowerBoundOf,
  upperBoundOf,
} from "./manifest/single-value.ts";
export { filterOfProjected, partitionFilter, type PartitionFilter } from "./manifest/partition-filter.ts";
export { ManifestContent, type FieldSummary, type ManifestFile } from "./manifest/manifest-file.ts";
export { decodeManifest } from "./manifest/decode-manifest.ts";
export { EntryStatus, type ManifestEntry } from "./manifest/manifest-entry.ts";
export { decodeManifestList } from "./manifest/manifest-list.ts";

// Partition transforms
export {
  applyTransform,
  bucketHash,
  compileTransform,
  parseTransform,
  resultType,
  type CalendarUnit,
  type Transform,
} from "./transform/transform.ts";
export { bindSpec, boundSpec, partitionKey, type BoundPartitionField, type BoundSpec } from "./transform/bound-spec.ts";
export { humanValue, partitionPath } from "./transform/partition-path.ts";
export { projectPredicate } from "./transform/projection.ts";
export { ANY_VALUE, mayMatch, type ValueRange } from "./transform/value-range.ts";

// Tables and commits
export {
  lakeEnvironment,
  type Clock,
  type LakeEnvironment,
  type LakeEnvironmentOptions,
  type Randomness,
} from "./commit/environment.ts";
export { loadTable, refreshTable, type Table } from "./commit/table.ts";
export type { SnapshotChange } from "./commit/snapshot-change.ts";
export { changesNoRow, rowsChangedBetween } from "./commit/rows-changed.ts";
export { isOnMain, newestSummaryEntry, type SummaryEntry } from "./commit/summary-entry.ts";
export type { StagedCommit } from "./commit/staged-commit.ts";
export { expireSnapshots, type ExpiredSnapshots, type FileCounts } from "./commit/expire.ts";
export { planExpiry, type ExpiryPolicy } from "./commit/plan-expiry.ts";
export { commitMetadata, type MetadataPlan } from "./commit/commit-metadata.ts";
export {
  changePartitioning,
  changeProperties,
  changeSchema,
  changeSortOrder,
  upgradeTable,
} from "./commit/evolve-table.ts";
export {
  dropReference,
  fastForward,
  rollbackTo,
  rollbackToTime,
  setBranch,
  setCurrentSnapshot,
  setTag,
  type ReferenceOptions,
  type ReferenceRetention,
} from "./commit/references.ts";
export { commitChange } from "./commit/commit-change.ts";
export { stageCommit, type CommitPlan } from "./commit/stage-commit.ts";
export { postCommit, type PostOptions, type PostedCommit } from "./commit/post-commit.ts";
export { findOrphans, removeOrphans, type OrphanOptions } from "./commit/orphan-files.ts";
export { currentFiles, selectFiles, type CurrentFiles, type FileSelection } from "./commit/current-files.ts";
export { lineageBetween, snapshotDiff, type SnapshotDiff, type SnapshotStep } from "./commit/snapshot-diff.ts";

export { openLake, warehouseOf, type LakeOptions } from "./open-lake.ts";

// Columnar kernel
export {
  isOutOfMemory,
  openKernel,
  type Kernel,
  type KernelChunk,
  type KernelColumns,
  type KernelConnection,
  type KernelOptions,
  type KernelRow,
} from "./kernel/duck.ts";
export { sqlBlob, sqlDouble, sqlName, sqlString, sqlStringList } from "./kernel/sql-text.ts";

// Parquet files
export { duckType } from "./parquet/duck-type.ts";
export { partitionExpression } from "./parquet/partition-expression.ts";
export { stageRows, type StageRowsOptions } from "./parquet/stage-rows.ts";
export { stagePositionDeletes, type StagePositionDeletesOptions } from "./parquet/stage-position-deletes.ts";
export { ROW_GROUP_ROWS, ROW_GROUP_ROWS_PROPERTY } from "./parquet/write-layout.ts";

// Scans
export {
  and,
  eq,
  gt,
  gte,
  isIn,
  isNull,
  lt,
  lte,
  notNull,
  or,
  predicateColumns,
  type ColumnPredicate,
  type ComparisonOp,
  type Literal,
  type Predicate,
} from "./scan/predicate.ts";
export { literalSql, predicateSql } from "./scan/predicate-sql.ts";
export { resolveSnapshot, type SnapshotChoice } from "./scan/resolve-snapshot.ts";
export { planScan, type PlanScanOptions } from "./scan/plan-scan.ts";
export type { EqualityDeletes } from "./scan/equality-deletes.ts";
export type { ReadingRules } from "./scan/reading-rules.ts";
export {
  deleteFilesOf,
  planFiles,
  scanSchema,
  type ScanPlan,
  type ScanStats,
  type ScanTask,
  type SnapshotFiles,
} from "./scan/scan-plan.ts";
export { scanSql, type ScanSqlOptions } from "./scan/scan-sql.ts";
export { readFailure, scanRows } from "./scan/scan-rows.ts";
export { planAppends } from "./scan/plan-appends.ts";
export { planChanges, type PlannedChanges } from "./scan/plan-changes.ts";

export { currentStatistics, writeTableStatistics } from "./statistics/table-statistics.ts";
export { planManifestRewrite, type ManifestRewriteOptions } from "./commit/manifest-rewrite.ts";
export type { ManifestGroup } from "./commit/manifest-merge.ts";

// Upsert and merge
export {
  COPY_ON_WRITE_ROWS,
  COPY_ON_WRITE_SHARE,
  stageUpsert,
  type StagedUpsert,
  type StageUpsertOptions,
} from "./upsert/stage-upsert.ts";
export { MERGE_POLICY, planMerge, type MergeGroup, type MergePlan, type MergePolicy } from "./merge/plan-merge.ts";
export { stageMerge, type StageMergeOptions } from "./merge/stage-merge.ts";

export type { LakeObserver, S3Outcome } from "./lake-observer.ts";
