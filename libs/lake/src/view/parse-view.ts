import { LakeError } from "../lake-error.ts";
import {
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
} from "../metadata/json-shape.ts";
import { parseLakeJson } from "../metadata/json.ts";
import { numberedSchemaAt, schemaAt } from "../metadata/parse-schema.ts";
import {
  VIEW_FORMAT_VERSION,
  type ViewLogEntry,
  type ViewMetadata,
  type ViewRepresentation,
  type ViewVersion,
} from "./view-metadata.ts";
import type { ViewCommit, ViewRequirement, ViewUpdate } from "./view-updates.ts";

/** Checks of the JSON of views; errors name the field and the rule. */

/**
 * Reads the text of a view's metadata file.
 * @throws LakeError `corrupt` naming the field, `unsupported` for a format version that is not known.
 */
export function parseViewMetadata(text: string, location: string): ViewMetadata {
  try {
    return viewMetadataAt(parseLakeJson(text), "");
  } catch (error) {
    if (!(error instanceof LakeError) || error.kind !== "invalid") throw error;
    throw new LakeError("corrupt", `metadata file ${location}: ${error.message}`, {
      cause: error,
      context: { ...error.context, location },
    });
  }
}

/** Fields that are not known here are kept. */
function viewMetadataAt(value: unknown, path: string): ViewMetadata {
  const raw = objectAt(value, path);
  const at = (key: string): string => under(path, key);
  const version = integerAt(raw["format-version"], at("format-version"));
  if (version !== VIEW_FORMAT_VERSION) {
    throw new LakeError("unsupported", `format-version ${version} of views is not supported`);
  }
  const metadata: ViewMetadata = {
    ...raw,
    "view-uuid": nonEmptyStringAt(raw["view-uuid"], at("view-uuid")),
    "format-version": version,
    location: nonEmptyStringAt(raw["location"], at("location")),
    "current-version-id": integerAt(raw["current-version-id"], at("current-version-id")),
    versions: listAt(raw["versions"], at("versions"), viewVersionAt),
    "version-log": listAt(raw["version-log"], at("version-log"), logEntryAt),
    schemas: listAt(raw["schemas"], at("schemas"), numberedSchemaAt),
    properties: optionalAt(raw["properties"], at("properties"), stringMapAt) ?? {},
  };
  if (!metadata.versions.some((candidate) => candidate["version-id"] === metadata["current-version-id"])) {
    throw shapeError(at("current-version-id"), `${metadata["current-version-id"]} is not in the metadata`);
  }
  return metadata;
}

/** A version of a view from JSON. @throws LakeError `invalid` with the path of what is wrong */
export function viewVersionAt(value: unknown, path: string): ViewVersion {
  const raw = objectAt(value, path);
  const at = (key: string): string => under(path, key);
  const catalog = optionalAt(raw["default-catalog"], at("default-catalog"), stringAt);
  return {
    "version-id": integerAt(raw["version-id"], at("version-id")),
    "timestamp-ms": integerAt(raw["timestamp-ms"], at("timestamp-ms")),
    "schema-id": integerAt(raw["schema-id"], at("schema-id")),
    summary: optionalAt(raw["summary"], at("summary"), stringMapAt) ?? {},
    representations: listAt(raw["representations"], at("representations"), representationAt),
    ...(catalog === undefined ? {} : { "default-catalog": catalog }),
    "default-namespace": listAt(raw["default-namespace"], at("default-namespace"), stringAt),
  };
}

function representationAt(value: unknown, path: string): ViewRepresentation {
  const raw = objectAt(value, path);
  const type = nonEmptyStringAt(raw["type"], under(path, "type")).toLowerCase();
  if (type !== "sql") throw shapeError(under(path, "type"), `only sql is supported: ${JSON.stringify(type)}`);
  return {
    type,
    sql: stringAt(raw["sql"], under(path, "sql")),
    dialect: nonEmptyStringAt(raw["dialect"], under(path, "dialect")),
  };
}

function logEntryAt(value: unknown, path: string): ViewLogEntry {
  const raw = objectAt(value, path);
  return {
    "timestamp-ms": integerAt(raw["timestamp-ms"], under(path, "timestamp-ms")),
    "version-id": integerAt(raw["version-id"], under(path, "version-id")),
  };
}

const UPDATE_READERS: {
  readonly [A in ViewUpdate["action"]]: (update: JsonObject, at: (key: string) => string) => ViewUpdate;
} = {
  "assign-uuid": (update, at) => ({ action: "assign-uuid", uuid: nonEmptyStringAt(update["uuid"], at("uuid")) }),
  "upgrade-format-version": (update, at) => ({
    action: "upgrade-format-version",
    "format-version": integerAt(update["format-version"], at("format-version")),
  }),
  "add-schema": (update, at) => ({ action: "add-schema", schema: schemaAt(update["schema"], at("schema")) }),
  "add-view-version": (update, at) => ({
    action: "add-view-version",
    "view-version": viewVersionAt(update["view-version"], at("view-version")),
  }),
  "set-current-view-version": (update, at) => ({
    action: "set-current-view-version",
    "view-version-id": integerAt(update["view-version-id"], at("view-version-id")),
  }),
  "set-location": (update, at) => ({
    action: "set-location",
    location: nonEmptyStringAt(update["location"], at("location")),
  }),
  "set-properties": (update, at) => ({
    action: "set-properties",
    updates: stringMapAt(update["updates"] ?? update["updated"], at("updates")),
  }),
  "remove-properties": (update, at) => ({
    action: "remove-properties",
    removals: listAt(update["removals"] ?? update["removed"], at("removals"), stringAt),
  }),
};

function viewUpdateAt(value: unknown, path: string): ViewUpdate {
  const update = objectAt(value, path);
  const action = nonEmptyStringAt(update["action"], under(path, "action"));
  if (!Object.hasOwn(UPDATE_READERS, action)) {
    throw shapeError(under(path, "action"), `cannot apply the update ${JSON.stringify(action)} to a view`);
  }
  return UPDATE_READERS[action as ViewUpdate["action"]](update, (key) => under(path, key));
}

function viewRequirementAt(value: unknown, path: string): ViewRequirement {
  const requirement = objectAt(value, path);
  const type = nonEmptyStringAt(requirement["type"], under(path, "type"));
  if (type !== "assert-view-uuid") throw shapeError(under(path, "type"), `unknown requirement ${JSON.stringify(type)}`);
  return { type, uuid: nonEmptyStringAt(requirement["uuid"], under(path, "uuid")) };
}

/** The `requirements` and `updates` of a commit (REST specification, `CommitViewRequest`). */
export function viewCommitAt(value: unknown, path: string): ViewCommit {
  const commit = objectAt(value, path);
  return {
    requirements: listAt(commit["requirements"] ?? [], under(path, "requirements"), viewRequirementAt),
    updates: listAt(commit["updates"] ?? [], under(path, "updates"), viewUpdateAt),
  };
}
