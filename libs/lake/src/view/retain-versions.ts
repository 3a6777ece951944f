import { shapeError } from "../metadata/json-shape.ts";
import type { ViewLogEntry, ViewMetadata, ViewVersion } from "./view-metadata.ts";

const HISTORY_SIZE_KEY = "version.history.num-entries";
const HISTORY_SIZE_DEFAULT = 10;

/**
 * Drops the oldest versions beyond `version.history.num-entries`; the current one and those that this commit has added
 * stay whatever the number is (View Specification, "Version Log").
 */
export function retainVersions(metadata: ViewMetadata, added: ReadonlySet<number>): ViewMetadata {
  const current = metadata["current-version-id"];
  const keep = Math.max(new Set([...added, current]).size, historySize(metadata.properties));
  if (metadata.versions.length <= keep) return metadata;
  const newestFirst = metadata.versions.filter((version) => version["version-id"] !== current).sort(byIdDescending);
  const kept = new Set([current, ...newestFirst.slice(0, keep - 1).map((version) => version["version-id"])]);
  return {
    ...metadata,
    versions: metadata.versions.filter((version) => kept.has(version["version-id"])),
    "version-log": logOf(metadata["version-log"], kept),
  };
}

function byIdDescending(one: ViewVersion, other: ViewVersion): number {
  return other["version-id"] - one["version-id"];
}

/** With a gap the log would name the wrong version for that time: what lies before a dropped version goes too. */
function logOf(log: readonly ViewLogEntry[], kept: ReadonlySet<number>): ViewLogEntry[] {
  const dropped = log.findLastIndex((entry) => !kept.has(entry["version-id"]));
  return log.slice(dropped + 1);
}

function historySize(properties: Readonly<Record<string, string>>): number {
  const text = Object.hasOwn(properties, HISTORY_SIZE_KEY) ? properties[HISTORY_SIZE_KEY] : undefined;
  if (text === undefined) return HISTORY_SIZE_DEFAULT;
  const size = Number(text);
  if (!Number.isInteger(size) || size < 1) {
    throw shapeError(`properties.${HISTORY_SIZE_KEY}`, `${HISTORY_SIZE_KEY} must be positive but was ${text}`);
  }
  return size;
}
