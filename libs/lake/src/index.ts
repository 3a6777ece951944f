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
  snapshotOfRef,
  specById,
  type BlobMetadata,
  type MetadataLogEntry,
  type PartitionStatisticsFile,
  type SnapshotLogEntry,
  type StatisticsFile,
  type TableMetadata,
} from "./metadata/table-metadata.ts";
export type { TableRequirement } from "./metadata/requirements.ts";
export { LAST_ADDED, type TableUpdate } from "./metadata/updates.ts";

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
