import { assignFreshIds } from "./fresh-ids.ts";
import { shapeError } from "./json-shape.ts";
import { FORMAT_VERSION_MAX } from "./parse-table-metadata.ts";
import type { UnnumberedPartitionSpec } from "./partition-spec.ts";
import type { UnnumberedSchema } from "./schema.ts";
import type { UnnumberedSortOrder } from "./sort-order.ts";
import type { TableMetadata } from "./table-metadata.ts";
import { validateSchema, validateSortOrder, validateSpec } from "./validate-table.ts";

export const DEFAULT_FORMAT_VERSION = 2;

/** Properties that tell the catalog something and are not kept (Java's TableProperties.RESERVED_PROPERTIES). */
const RESERVED_PROPERTIES: ReadonlySet<string> = new Set([
  "format-version",
  "uuid",
  "snapshot-count",
  "current-snapshot-summary",
  "current-snapshot-id",
  "current-snapshot-timestamp-ms",
  "current-schema",
  "default-partition-spec",
  "default-sort-order",
]);

export interface NewTable {
  readonly schema: UnnumberedSchema;
  readonly partitionSpec?: UnnumberedPartitionSpec | undefined;
  readonly sortOrder?: UnnumberedSortOrder | undefined;
  readonly location: string;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly uuid: string;
  readonly nowMs: number;
}

/**
 * Metadata of a table without snapshots, with fresh ids. The property `format-version` chooses the version (default 2).
 * @throws LakeError `invalid` naming the part of the request.
 */
export function newTableMetadata(table: NewTable): TableMetadata {
  const version = requestedFormatVersion(table.properties ?? {});
  const fresh = assignFreshIds(table.schema, table.partitionSpec, table.sortOrder);
  validateSchema(fresh.schema, version);
  validateSpec(fresh.spec, fresh.schema);
  validateSortOrder(fresh.order, fresh.schema);
  return {
    "format-version": version,
    "table-uuid": table.uuid,
    location: table.location.replace(/\/+$/, ""),
    "last-sequence-number": 0,
    "last-updated-ms": table.nowMs,
    "last-column-id": fresh.lastColumnId,
    "current-schema-id": 0,
    schemas: [fresh.schema],
    "default-spec-id": 0,
    "partition-specs": [fresh.spec],
    "last-partition-id": fresh.lastPartitionId,
    "default-sort-order-id": fresh.order["order-id"],
    "sort-orders": [fresh.order],
    properties: keptProperties(table.properties ?? {}),
    snapshots: [],
    "snapshot-log": [],
    "metadata-log": [],
    refs: {},
    statistics: [],
    "partition-statistics": [],
    ...(version >= 3 ? { "next-row-id": 0 } : {}),
  };
}

/** The properties that stay with the table. */
export function keptProperties(properties: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !RESERVED_PROPERTIES.has(key)));
}

function requestedFormatVersion(properties: Readonly<Record<string, string>>): number {
  const text = Object.hasOwn(properties, "format-version") ? properties["format-version"] : undefined;
  if (text === undefined) return DEFAULT_FORMAT_VERSION;
  const version = Number(text);
  if (!Number.isInteger(version) || version < 1 || version > FORMAT_VERSION_MAX) {
    throw shapeError("properties.format-version", `must be 1 to ${FORMAT_VERSION_MAX}: ${JSON.stringify(text)}`);
  }
  return version;
}
