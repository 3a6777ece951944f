/** Partition specs as they stand in JSON (Iceberg specification, appendix C "Partition Specs"). */
export interface PartitionField {
  readonly "source-id": number;
  readonly "field-id": number;
  readonly name: string;
  /** `identity`, `void`, `year`, `month`, `day`, `hour`, `bucket[N]`, `truncate[W]`; unknown ones are kept as they are. */
  readonly transform: string;
}

export interface PartitionSpec {
  readonly "spec-id": number;
  readonly fields: readonly PartitionField[];
}

/** A spec as a request carries it: ids may be left out and are assigned by the catalog. */
export interface UnnumberedPartitionSpec {
  readonly "spec-id"?: number;
  readonly fields: readonly (Omit<PartitionField, "field-id"> & { readonly "field-id"?: number })[];
}

/** Partition field ids start at 1000 (specification, "Partition Field IDs"); 999 is "none yet". */
export const NO_PARTITION_FIELD_ID = 999;

/** The spec of a table without partitions. */
export const UNPARTITIONED: PartitionSpec = { "spec-id": 0, fields: [] };

/** Whether all rows lie together: no fields, or void ones alone. */
export function isUnpartitioned(spec: PartitionSpec): boolean {
  return spec.fields.every((field) => field.transform === "void");
}
