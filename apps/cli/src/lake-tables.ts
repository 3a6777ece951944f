import type { Dataset, TableDefinition } from "@firn/core";
import { isLakeError, openLake as openLakeAt, type LakeEnvironment } from "@firn/lake";
import { s3SettingsOf } from "@firn/service/environment";

import { readConfig } from "./config.ts";
import { CommandError, EXIT } from "./exit-code.ts";
import { requireAddress, type Lake } from "./lake-location.ts";

/** The datasets of this build, or the one that was named. @throws CommandError (usage) for an unknown name. */
export function chosenDatasets(name: string | undefined): readonly Dataset[] {
  const { datasets } = readConfig();
  if (name === undefined) return [...datasets.values()];
  const dataset = datasets.get(name);
  if (dataset !== undefined) return [dataset];
  throw new CommandError(EXIT.usage, `there is no lake "${name}"`, {
    fix: `There are: ${[...datasets.keys()].join(", ")}`,
  });
}

export function fullName(definition: Pick<TableDefinition, "namespace" | "name">): string {
  return `${definition.namespace}.${definition.name}`;
}

/** Catalog and files of the lake, for reading. */
export async function openLake(lake: Lake): Promise<LakeEnvironment> {
  const { access } = readConfig();
  return openLakeAt({
    ...access,
    s3: s3SettingsOf(access),
    catalogUri: requireAddress(lake, "catalog"),
    warehouse: requireAddress(lake, "warehouse"),
    // A command may read for longer than copies are kept over the limit.
    fileCacheBytes: Number.MAX_SAFE_INTEGER,
  });
}

/** What was not found as undefined; every other failure of the lake as a broken world. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isLakeError(error, "not_found")) return undefined;
    throw error;
  }
}
