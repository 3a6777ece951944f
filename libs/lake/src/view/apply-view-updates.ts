import { LakeError } from "../lake-error.ts";
import { sameSchema } from "../metadata/apply-schema-updates.ts";
import { shapeError } from "../metadata/json-shape.ts";
import type { Schema, UnnumberedSchema } from "../metadata/schema.ts";
import { LAST_ADDED } from "../metadata/updates.ts";
import { validateSchema } from "../metadata/validate-table.ts";
import { retainVersions } from "./retain-versions.ts";
import { VIEW_FORMAT_VERSION, type ViewLogEntry, type ViewMetadata, type ViewVersion } from "./view-metadata.ts";
import { checkViewRequirements, type ViewCommit, type ViewUpdate } from "./view-updates.ts";

/** The rules for the types of columns are those of the newest tables: a view stores none. */
const SCHEMA_FORMAT_VERSION = 3;
const DROP_DIALECT_KEY = "replace.drop-dialect.allowed";

/** A view's metadata while updates are applied to it. */
interface ViewDraft {
  uuid: string | undefined;
  location: string | undefined;
  currentVersionId: number | undefined;
  versions: ViewVersion[];
  schemas: Schema[];
  properties: Map<string, string>;
  /** What -1 stands for, once this commit has added one. */
  lastAddedVersionId: number | undefined;
  lastAddedSchemaId: number | undefined;
  readonly addedVersionIds: Set<number>;
  logEntry: ViewLogEntry | undefined;
  readonly nowMs: number;
}

/**
 * The metadata after a commit, without any I/O; `base` undefined makes a new view from its updates.
 * @returns the very `base` when the updates change nothing.
 * @throws LakeError `conflict` or `invalid`, naming the update and the rule that it breaks.
 */
export function planViewCommit(base: ViewMetadata | undefined, commit: ViewCommit, nowMs: number): ViewMetadata {
  if (base !== undefined) checkViewRequirements(base, commit.requirements);
  if (base !== undefined && commit.updates.length === 0) return base;
  const draft = startDraft(base, nowMs);
  for (const update of commit.updates) applyUpdate(draft, update);
  return finishDraft(draft, base);
}

function startDraft(base: ViewMetadata | undefined, nowMs: number): ViewDraft {
  return {
    uuid: base?.["view-uuid"],
    location: base?.location,
    currentVersionId: base?.["current-version-id"],
    versions: [...(base?.versions ?? [])],
    schemas: [...(base?.schemas ?? [])],
    properties: new Map(Object.entries(base?.properties ?? {})),
    lastAddedVersionId: undefined,
    lastAddedSchemaId: undefined,
    addedVersionIds: new Set(),
    logEntry: undefined,
    nowMs,
  };
}

function applyUpdate(draft: ViewDraft, update: ViewUpdate): void {
  switch (update.action) {
    case "assign-uuid":
      if (draft.uuid !== undefined && draft.uuid.toLowerCase() !== update.uuid.toLowerCase()) {
        throw shapeError("assign-uuid.uuid", "cannot reassign the uuid of a view");
      }
      draft.uuid = update.uuid;
      return;
    case "upgrade-format-version":
      if (update["format-version"] !== VIEW_FORMAT_VERSION) {
        throw shapeError("upgrade-format-version.format-version", `only ${VIEW_FORMAT_VERSION} is supported for views`);
      }
      return;
    case "add-schema":
      return addSchema(draft, update.schema);
    case "add-view-version":
      return addVersion(draft, update["view-version"]);
    case "set-current-view-version":
      return setCurrentVersion(draft, update["view-version-id"]);
    case "set-location":
      draft.location = update.location.replace(/\/+$/, "");
      return;
    case "set-properties":
      for (const [key, value] of Object.entries(update.updates)) draft.properties.set(key, value);
      return;
    case "remove-properties":
      for (const key of update.removals) draft.properties.delete(key);
      return;
  }
}

/** The same schema keeps its id. */
function addSchema(draft: ViewDraft, added: UnnumberedSchema): void {
  const existing = draft.schemas.find((schema) => sameSchema(schema, added));
  const id = existing?.["schema-id"] ?? 1 + Math.max(-1, ...draft.schemas.map((schema) => schema["schema-id"]));
  if (existing === undefined) {
    const schema: Schema = { ...added, "schema-id": id };
    validateSchema(schema, SCHEMA_FORMAT_VERSION);
    draft.schemas.push(schema);
  }
  draft.lastAddedSchemaId = id;
}

/** A version that would behave as one that is there is that one; a number that is taken makes room for the next. */
function addVersion(draft: ViewDraft, added: ViewVersion): void {
  const path = "add-view-version.view-version";
  const schemaId = added["schema-id"] === LAST_ADDED ? draft.lastAddedSchemaId : added["schema-id"];
  if (schemaId === undefined) throw shapeError(`${path}.schema-id`, "no schema has been added in this commit");
  const wanted: ViewVersion = { ...added, "schema-id": schemaId };
  const existing = draft.versions.find((version) => sameVersion(version, wanted));
  if (existing !== undefined) {
    draft.lastAddedVersionId = existing["version-id"];
    return;
  }
  if (!draft.schemas.some((schema) => schema["schema-id"] === schemaId)) {
    throw shapeError(`${path}.schema-id`, `cannot add version with unknown schema: ${schemaId}`);
  }
  checkDialects(wanted, `${path}.representations`);
  const taken = draft.versions.map((version) => version["version-id"]);
  const free = taken.length === 0 ? wanted["version-id"] : Math.max(wanted["version-id"], 1 + Math.max(...taken));
  draft.versions.push({ ...wanted, "version-id": free });
  draft.addedVersionIds.add(free);
  draft.lastAddedVersionId = free;
}

function checkDialects(version: ViewVersion, path: string): void {
  if (version.representations.length === 0) throw shapeError(path, "a view needs at least one query");
  const dialects = version.representations.map((representation) => representation.dialect.toLowerCase());
  const twice = dialects.find((dialect, index) => dialects.indexOf(dialect) !== index);
  if (twice === undefined) return;
  // Java's clients look for these words and for this reason.
  throw new LakeError("invalid", `Invalid view version: Cannot add multiple queries for dialect ${twice}`, {
    context: { field: path, reason: "illegal_argument" },
  });
}

/** Number and time aside. */
function sameVersion(one: ViewVersion, other: ViewVersion): boolean {
  const text = (version: ViewVersion): string =>
    JSON.stringify([
      version["schema-id"],
      Object.entries(version.summary).sort(),
      version.representations.map(({ type, sql, dialect }) => [type, sql, dialect]),
      version["default-catalog"] ?? null,
      version["default-namespace"],
    ]);
  return text(one) === text(other);
}

function setCurrentVersion(draft: ViewDraft, versionId: number): void {
  const path = "set-current-view-version.view-version-id";
  const id = versionId === LAST_ADDED ? draft.lastAddedVersionId : versionId;
  if (id === undefined) throw shapeError(path, "no version has been added in this commit");
  const version = draft.versions.find((candidate) => candidate["version-id"] === id);
  if (version === undefined) throw shapeError(path, `cannot set current version to unknown version: ${id}`);
  if (draft.currentVersionId === id) return;
  draft.currentVersionId = id;
  const timeMs = draft.addedVersionIds.has(id) ? version["timestamp-ms"] : draft.nowMs;
  draft.logEntry = { "timestamp-ms": timeMs, "version-id": id };
}

function finishDraft(draft: ViewDraft, base: ViewMetadata | undefined): ViewMetadata {
  const { uuid, location, currentVersionId } = draft;
  if (uuid === undefined) throw shapeError("updates", "a new view needs assign-uuid");
  if (location === undefined) throw shapeError("updates", "a new view needs set-location");
  if (currentVersionId === undefined) throw shapeError("updates", "a new view needs a current version");
  const log = [...(base?.["version-log"] ?? []), ...(draft.logEntry === undefined ? [] : [draft.logEntry])];
  const properties = Object.fromEntries(draft.properties);
  const finished: ViewMetadata = {
    ...base,
    "view-uuid": uuid,
    "format-version": VIEW_FORMAT_VERSION,
    location,
    "current-version-id": currentVersionId,
    versions: draft.versions,
    "version-log": log,
    schemas: draft.schemas,
    properties,
  };
  if (base !== undefined) checkNoDialectLost(base, finished);
  return retainVersions(finished, draft.addedVersionIds);
}

function checkNoDialectLost(before: ViewMetadata, after: ViewMetadata): void {
  if (after.properties[DROP_DIALECT_KEY]?.toLowerCase() === "true") return;
  const dialectsOf = (metadata: ViewMetadata): string[] =>
    (
      metadata.versions.find((version) => version["version-id"] === metadata["current-version-id"])?.representations ??
      []
    )
      .map((representation) => representation.dialect.toLowerCase())
      .sort();
  const [previous, next] = [dialectsOf(before), dialectsOf(after)];
  if (previous.every((dialect) => next.includes(dialect))) return;
  throw shapeError(
    "updates",
    `Cannot replace view due to loss of view dialects (${DROP_DIALECT_KEY}=false): previous dialects: [${previous.join(", ")}], new dialects: [${next.join(", ")}]`,
  );
}
