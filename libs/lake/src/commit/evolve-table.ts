import { LakeError } from "../lake-error.ts";
import { evolveSortOrder, evolveSpec, type PartitionChoice, type SortChoice } from "../metadata/evolve-layout.ts";
import { evolveSchema, type SchemaChange } from "../metadata/evolve-schema.ts";
import { FORMAT_VERSION_MAX } from "../metadata/parse-table-metadata.ts";
import type { StructType } from "../metadata/schema.ts";
import { currentSchema, defaultSortOrder, defaultSpec, type TableMetadata } from "../metadata/table-metadata.ts";
import { LAST_ADDED } from "../metadata/updates.ts";
import { commitMetadata } from "./commit-metadata.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { Table } from "./table.ts";

/**
 * Changes the table's schema in one commit. Rows that are there are read with it at once: columns are found by their
 * ids. Older snapshots keep their own.
 * @throws LakeError `invalid` naming the column and the rule; nothing is changed then
 */
export function changeSchema(env: LakeEnvironment, table: Table, changes: readonly SchemaChange[]): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const { schema, lastColumnId } = evolveSchema(metadata, changes);
    const isSame = (other: StructType): boolean => sameJson(other.fields, schema.fields);
    return {
      requirements: [
        { type: "assert-current-schema-id", "current-schema-id": metadata["current-schema-id"] },
        { type: "assert-last-assigned-field-id", "last-assigned-field-id": metadata["last-column-id"] },
      ],
      updates: isSame(currentSchema(metadata))
        ? []
        : [
            { action: "add-schema", schema, "last-column-id": lastColumnId },
            { action: "set-current-schema", "schema-id": LAST_ADDED },
          ],
      isApplied: (after) => isSame(currentSchema(after)),
    };
  });
}

/** Replaces what new files are partitioned by; files that are there keep their own spec. */
export function changePartitioning(
  env: LakeEnvironment,
  table: Table,
  fields: readonly PartitionChoice[],
): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const spec = evolveSpec(metadata, fields);
    const isDefault = (other: TableMetadata): boolean => sameJson(defaultSpec(other).fields, spec.fields);
    return {
      requirements: [
        { type: "assert-default-spec-id", "default-spec-id": metadata["default-spec-id"] },
        { type: "assert-last-assigned-partition-id", "last-assigned-partition-id": metadata["last-partition-id"] },
        { type: "assert-current-schema-id", "current-schema-id": metadata["current-schema-id"] },
      ],
      updates: isDefault(metadata)
        ? []
        : [
            { action: "add-spec", spec },
            { action: "set-default-spec", "spec-id": LAST_ADDED },
          ],
      isApplied: isDefault,
    };
  });
}

/** Replaces what new files are sorted by; no columns: unsorted. */
export function changeSortOrder(env: LakeEnvironment, table: Table, columns: readonly SortChoice[]): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const order = evolveSortOrder(metadata, columns);
    const isDefault = (other: TableMetadata): boolean => sameJson(defaultSortOrder(other).fields, order.fields);
    return {
      requirements: [
        { type: "assert-default-sort-order-id", "default-sort-order-id": metadata["default-sort-order-id"] },
        { type: "assert-current-schema-id", "current-schema-id": metadata["current-schema-id"] },
      ],
      updates: isDefault(metadata)
        ? []
        : [
            { action: "add-sort-order", "sort-order": order },
            { action: "set-default-sort-order", "sort-order-id": LAST_ADDED },
          ],
      isApplied: isDefault,
    };
  });
}

/** Sets and removes table properties. */
export function changeProperties(
  env: LakeEnvironment,
  table: Table,
  set: Readonly<Record<string, string>>,
  remove: readonly string[] = [],
): Promise<Table> {
  const isApplied = ({ properties }: TableMetadata): boolean =>
    Object.entries(set).every(([key, value]) => properties[key] === value) &&
    remove.every((key) => properties[key] === undefined);
  return commitMetadata(env, table, (metadata) => ({
    requirements: [],
    updates: isApplied(metadata)
      ? []
      : [
          ...(Object.keys(set).length > 0 ? [{ action: "set-properties" as const, updates: set }] : []),
          ...(remove.length > 0 ? [{ action: "remove-properties" as const, removals: remove }] : []),
        ],
    isApplied,
  }));
}

/**
 * Raises the format version; nothing else does. Versions only go up, and tables above 2 are read here, not written.
 * @throws LakeError `invalid`
 */
export function upgradeTable(env: LakeEnvironment, table: Table, formatVersion: number): Promise<Table> {
  return commitMetadata(env, table, (metadata) => {
    const current = metadata["format-version"];
    if (!Number.isInteger(formatVersion) || formatVersion < current || formatVersion > FORMAT_VERSION_MAX) {
      const rule = `must be ${current} to ${FORMAT_VERSION_MAX}`;
      throw new LakeError("invalid", `format version ${formatVersion} ${rule}`, {
        context: { field: "format-version" },
      });
    }
    return {
      requirements: [],
      updates: formatVersion === current ? [] : [{ action: "upgrade-format-version", "format-version": formatVersion }],
      isApplied: (after) => after["format-version"] >= formatVersion,
    };
  });
}

function sameJson(one: unknown, other: unknown): boolean {
  return stableJson(one) === stableJson(other);
}

/** Keys in one order: metadata that a catalog gave back may have another. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
