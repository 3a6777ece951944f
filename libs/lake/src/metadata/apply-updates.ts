import {
  addSchema,
  addSortOrder,
  addSpec,
  removeSchemas,
  removeSpecs,
  setCurrentSchema,
  setDefaultSortOrder,
  setDefaultSpec,
} from "./apply-schema-updates.ts";
import { addSnapshot, removeSnapshotRef, removeSnapshots, setSnapshotRef } from "./apply-snapshot-updates.ts";
import { shapeError } from "./json-shape.ts";
import { finishDraft, startDraft, type MetadataDraft } from "./metadata-draft.ts";
import { keptProperties } from "./new-table.ts";
import { FORMAT_VERSION_MAX } from "./parse-table-metadata.ts";
import type { TableMetadata } from "./table-metadata.ts";
import type { TableUpdate } from "./updates.ts";

export interface ApplyContext {
  readonly nowMs: number;
  /** Where the metadata that is changed lies; it enters the metadata log. */
  readonly previousMetadataLocation?: string | undefined;
}

const PREVIOUS_VERSIONS_MAX_KEY = "write.metadata.previous-versions-max";
const PREVIOUS_VERSIONS_MAX_DEFAULT = 100;

/**
 * The metadata after all updates, in their order; `base` undefined makes a new table from them. Pure: nothing of `base`
 * changes.
 * @throws LakeError `invalid` naming the update and the rule that it breaks.
 */
export function applyUpdates(
  base: TableMetadata | undefined,
  updates: readonly TableUpdate[],
  context: ApplyContext,
): TableMetadata {
  const draft = startDraft(base, context.nowMs);
  for (const update of updates) applyUpdate(draft, update);
  const finished = finishDraft(draft);
  return base === undefined ? finished : { ...finished, "metadata-log": extendedMetadataLog(base, finished, context) };
}

function applyUpdate(draft: MetadataDraft, update: TableUpdate): void {
  switch (update.action) {
    case "assign-uuid":
      return assignUuid(draft, update.uuid);
    case "upgrade-format-version":
      return upgradeFormatVersion(draft, update["format-version"]);
    case "add-schema":
      return addSchema(draft, update.schema);
    case "set-current-schema":
      return setCurrentSchema(draft, update["schema-id"]);
    case "add-spec":
      return addSpec(draft, update.spec);
    case "set-default-spec":
      return setDefaultSpec(draft, update["spec-id"]);
    case "add-sort-order":
      return addSortOrder(draft, update["sort-order"]);
    case "set-default-sort-order":
      return setDefaultSortOrder(draft, update["sort-order-id"]);
    case "add-snapshot":
      return addSnapshot(draft, update.snapshot);
    case "set-snapshot-ref": {
      const { action: _, "ref-name": name, ...ref } = update;
      return setSnapshotRef(draft, name, ref);
    }
    case "remove-snapshots":
      return removeSnapshots(draft, update["snapshot-ids"]);
    case "remove-snapshot-ref":
      return removeSnapshotRef(draft, update["ref-name"]);
    default:
      return applyDescription(draft, update);
  }
}

type DescriptionUpdate = Extract<
  TableUpdate,
  {
    action:
      | "set-location"
      | "set-properties"
      | "remove-properties"
      | "set-statistics"
      | "remove-statistics"
      | "set-partition-statistics"
      | "remove-partition-statistics"
      | "remove-partition-specs"
      | "remove-schemas";
  }
>;

/** Location, properties, statistics and what is cleaned away. */
function applyDescription(draft: MetadataDraft, update: DescriptionUpdate): void {
  switch (update.action) {
    case "set-location":
      draft.location = update.location.replace(/\/+$/, "");
      return;
    case "set-properties":
      for (const [key, value] of Object.entries(keptProperties(update.updates))) draft.properties.set(key, value);
      return;
    case "remove-properties":
      for (const key of update.removals) draft.properties.delete(key);
      return;
    case "set-statistics":
      draft.statistics = [...without(draft.statistics, update.statistics["snapshot-id"]), update.statistics];
      return;
    case "remove-statistics":
      draft.statistics = without(draft.statistics, update["snapshot-id"]);
      return;
    case "set-partition-statistics": {
      const file = update["partition-statistics"];
      draft.partitionStatistics = [...without(draft.partitionStatistics, file["snapshot-id"]), file];
      return;
    }
    case "remove-partition-statistics":
      draft.partitionStatistics = without(draft.partitionStatistics, update["snapshot-id"]);
      return;
    case "remove-partition-specs":
      return removeSpecs(draft, update["spec-ids"]);
    case "remove-schemas":
      return removeSchemas(draft, update["schema-ids"]);
  }
}

function without<T extends { readonly "snapshot-id": bigint }>(files: readonly T[], snapshotId: bigint): T[] {
  return files.filter((file) => file["snapshot-id"] !== snapshotId);
}

function assignUuid(draft: MetadataDraft, uuid: string): void {
  if (draft.uuid !== undefined && draft.uuid !== "" && draft.uuid.toLowerCase() !== uuid.toLowerCase()) {
    throw shapeError("assign-uuid.uuid", "cannot reassign the uuid of a table");
  }
  draft.uuid = uuid;
}

function upgradeFormatVersion(draft: MetadataDraft, version: number): void {
  const path = "upgrade-format-version.format-version";
  if (version < 1 || version > FORMAT_VERSION_MAX) {
    throw shapeError(
      path,
      `cannot upgrade table to unsupported format version: v${version} (supported: v${FORMAT_VERSION_MAX})`,
    );
  }
  // A table that does not exist yet has no version to go down from.
  if (draft.base !== undefined && version < draft.formatVersion) {
    throw shapeError(path, `cannot downgrade v${draft.formatVersion} table to v${version}`);
  }
  draft.formatVersion = version;
}

/** The base's own file joins the log, which keeps the newest `write.metadata.previous-versions-max`. */
function extendedMetadataLog(
  base: TableMetadata,
  finished: TableMetadata,
  context: ApplyContext,
): TableMetadata["metadata-log"] {
  if (context.previousMetadataLocation === undefined) return base["metadata-log"];
  const entry = { "timestamp-ms": base["last-updated-ms"], "metadata-file": context.previousMetadataLocation };
  return [...base["metadata-log"], entry].slice(-previousVersionsMax(finished.properties));
}

function previousVersionsMax(properties: Readonly<Record<string, string>>): number {
  const stated = Number.parseInt(properties[PREVIOUS_VERSIONS_MAX_KEY] ?? "", 10);
  return Number.isNaN(stated) ? PREVIOUS_VERSIONS_MAX_DEFAULT : Math.max(1, stated);
}
