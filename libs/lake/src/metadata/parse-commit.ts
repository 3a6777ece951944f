import { LakeError } from "../lake-error.ts";
import {
  idAt,
  integerAt,
  listAt,
  nonEmptyStringAt,
  objectAt,
  optionalAt,
  shapeError,
  stringAt,
  stringMapAt,
  under,
  type JsonObject,
} from "./json-shape.ts";
import { partitionSpecAt, schemaAt, sortOrderAt } from "./parse-schema.ts";
import { partitionStatisticsFileAt, snapshotAt, snapshotRefAt, statisticsFileAt } from "./parse-snapshot.ts";
import type { TableRequirement } from "./requirements.ts";
import type { TableUpdate } from "./updates.ts";

/** Checks of a commit's JSON (REST specification, `CommitTableRequest`); errors name the field and the rule. */

type UpdateReader = (update: JsonObject, path: string) => TableUpdate;

const UPDATE_READERS: { readonly [A in TableUpdate["action"]]: UpdateReader } = {
  "assign-uuid": (update, path) => ({
    action: "assign-uuid",
    uuid: nonEmptyStringAt(update["uuid"], under(path, "uuid")),
  }),
  "upgrade-format-version": (update, path) => ({
    action: "upgrade-format-version",
    "format-version": integerAt(update["format-version"], under(path, "format-version")),
  }),
  "add-schema": (update, path) => {
    const last = optionalAt(update["last-column-id"], under(path, "last-column-id"), integerAt);
    const schema = schemaAt(update["schema"], under(path, "schema"));
    return { action: "add-schema", schema, ...(last === undefined ? {} : { "last-column-id": last }) };
  },
  "set-current-schema": (update, path) => ({
    action: "set-current-schema",
    "schema-id": integerAt(update["schema-id"], under(path, "schema-id")),
  }),
  "add-spec": (update, path) => ({ action: "add-spec", spec: partitionSpecAt(update["spec"], under(path, "spec")) }),
  "set-default-spec": (update, path) => ({
    action: "set-default-spec",
    "spec-id": integerAt(update["spec-id"], under(path, "spec-id")),
  }),
  "add-sort-order": (update, path) => ({
    action: "add-sort-order",
    "sort-order": sortOrderAt(update["sort-order"], under(path, "sort-order")),
  }),
  "set-default-sort-order": (update, path) => ({
    action: "set-default-sort-order",
    "sort-order-id": integerAt(update["sort-order-id"], under(path, "sort-order-id")),
  }),
  "add-snapshot": (update, path) => ({
    action: "add-snapshot",
    snapshot: snapshotAt(update["snapshot"], under(path, "snapshot")),
  }),
  "set-snapshot-ref": (update, path) => {
    const { action: _, "ref-name": name, ...ref } = update;
    return {
      action: "set-snapshot-ref",
      "ref-name": nonEmptyStringAt(name, under(path, "ref-name")),
      ...snapshotRefAt(ref, path),
    };
  },
  "remove-snapshots": (update, path) => ({
    action: "remove-snapshots",
    "snapshot-ids": listAt(update["snapshot-ids"], under(path, "snapshot-ids"), idAt),
  }),
  "remove-snapshot-ref": (update, path) => ({
    action: "remove-snapshot-ref",
    "ref-name": nonEmptyStringAt(update["ref-name"], under(path, "ref-name")),
  }),
  "set-location": (update, path) => ({
    action: "set-location",
    location: nonEmptyStringAt(update["location"], under(path, "location")),
  }),
  // The key was `updated` and `removed` in the first releases.
  "set-properties": (update, path) => ({
    action: "set-properties",
    updates: stringMapAt(update["updates"] ?? update["updated"], under(path, "updates")),
  }),
  "remove-properties": (update, path) => ({
    action: "remove-properties",
    removals: listAt(update["removals"] ?? update["removed"], under(path, "removals"), stringAt),
  }),
  "set-statistics": (update, path) => ({
    action: "set-statistics",
    statistics: statisticsFileAt(update["statistics"], under(path, "statistics")),
  }),
  "remove-statistics": (update, path) => ({
    action: "remove-statistics",
    "snapshot-id": idAt(update["snapshot-id"], under(path, "snapshot-id")),
  }),
  "set-partition-statistics": (update, path) => ({
    action: "set-partition-statistics",
    "partition-statistics": partitionStatisticsFileAt(
      update["partition-statistics"],
      under(path, "partition-statistics"),
    ),
  }),
  "remove-partition-statistics": (update, path) => ({
    action: "remove-partition-statistics",
    "snapshot-id": idAt(update["snapshot-id"], under(path, "snapshot-id")),
  }),
  "remove-partition-specs": (update, path) => ({
    action: "remove-partition-specs",
    "spec-ids": listAt(update["spec-ids"], under(path, "spec-ids"), integerAt),
  }),
  "remove-schemas": (update, path) => ({
    action: "remove-schemas",
    "schema-ids": listAt(update["schema-ids"], under(path, "schema-ids"), integerAt),
  }),
};

function tableUpdateAt(value: unknown, path: string): TableUpdate {
  const update = objectAt(value, path);
  const action = nonEmptyStringAt(update["action"], under(path, "action"));
  if (!Object.hasOwn(UPDATE_READERS, action)) {
    throw new LakeError("invalid", `${under(path, "action")}: cannot apply the update ${JSON.stringify(action)} here`, {
      context: { field: under(path, "action") },
    });
  }
  return UPDATE_READERS[action as TableUpdate["action"]](update, path);
}

function tableRequirementAt(value: unknown, path: string): TableRequirement {
  const requirement = objectAt(value, path);
  const type = nonEmptyStringAt(requirement["type"], under(path, "type")) as TableRequirement["type"];
  const integer = (key: string): number => integerAt(requirement[key], under(path, key));
  switch (type) {
    case "assert-create":
      return { type };
    case "assert-table-uuid":
      return { type, uuid: nonEmptyStringAt(requirement["uuid"], under(path, "uuid")) };
    case "assert-ref-snapshot-id": {
      const id = optionalAt(requirement["snapshot-id"], under(path, "snapshot-id"), idAt) ?? null;
      return { type, ref: nonEmptyStringAt(requirement["ref"], under(path, "ref")), "snapshot-id": id };
    }
    case "assert-last-assigned-field-id":
      return { type, "last-assigned-field-id": integer("last-assigned-field-id") };
    case "assert-current-schema-id":
      return { type, "current-schema-id": integer("current-schema-id") };
    case "assert-last-assigned-partition-id":
      return { type, "last-assigned-partition-id": integer("last-assigned-partition-id") };
    case "assert-default-spec-id":
      return { type, "default-spec-id": integer("default-spec-id") };
    case "assert-default-sort-order-id":
      return { type, "default-sort-order-id": integer("default-sort-order-id") };
    default:
      throw shapeError(under(path, "type"), `unknown requirement ${JSON.stringify(type)}`);
  }
}

/** The `requirements` and `updates` of a commit. */
export function tableCommitAt(
  value: unknown,
  path: string,
): { requirements: TableRequirement[]; updates: TableUpdate[] } {
  const commit = objectAt(value, path);
  return {
    requirements: listAt(commit["requirements"] ?? [], under(path, "requirements"), tableRequirementAt),
    updates: listAt(commit["updates"] ?? [], under(path, "updates"), tableUpdateAt),
  };
}
