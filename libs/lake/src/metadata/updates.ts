import type { PartitionSpec, UnnumberedPartitionSpec } from "./partition-spec.ts";
import type { UnnumberedSchema } from "./schema.ts";
import type { Snapshot, SnapshotRef } from "./snapshot.ts";
import type { UnnumberedSortOrder } from "./sort-order.ts";
import type { PartitionStatisticsFile, StatisticsFile } from "./table-metadata.ts";

/** -1 in place of a schema, spec or order id names the one that the same commit added last. */
export const LAST_ADDED = -1;

/** One change of a table (REST specification, schema `TableUpdate`). */
export type TableUpdate =
  | { readonly action: "assign-uuid"; readonly uuid: string }
  | { readonly action: "upgrade-format-version"; readonly "format-version": number }
  // The id is derived from the schema; catalogs such as Nessie 0.99 still want it sent.
  | { readonly action: "add-schema"; readonly schema: UnnumberedSchema; readonly "last-column-id"?: number }
  | { readonly action: "set-current-schema"; readonly "schema-id": number }
  | { readonly action: "add-spec"; readonly spec: PartitionSpec | UnnumberedPartitionSpec }
  | { readonly action: "set-default-spec"; readonly "spec-id": number }
  | { readonly action: "add-sort-order"; readonly "sort-order": UnnumberedSortOrder }
  | { readonly action: "set-default-sort-order"; readonly "sort-order-id": number }
  | { readonly action: "add-snapshot"; readonly snapshot: Snapshot }
  | ({ readonly action: "set-snapshot-ref"; readonly "ref-name": string } & SnapshotRef)
  | { readonly action: "remove-snapshots"; readonly "snapshot-ids": readonly bigint[] }
  | { readonly action: "remove-snapshot-ref"; readonly "ref-name": string }
  | { readonly action: "set-location"; readonly location: string }
  | { readonly action: "set-properties"; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: "remove-properties"; readonly removals: readonly string[] }
  | { readonly action: "set-statistics"; readonly statistics: StatisticsFile }
  | { readonly action: "remove-statistics"; readonly "snapshot-id": bigint }
  | { readonly action: "set-partition-statistics"; readonly "partition-statistics": PartitionStatisticsFile }
  | { readonly action: "remove-partition-statistics"; readonly "snapshot-id": bigint }
  | { readonly action: "remove-partition-specs"; readonly "spec-ids": readonly number[] }
  | { readonly action: "remove-schemas"; readonly "schema-ids": readonly number[] };
