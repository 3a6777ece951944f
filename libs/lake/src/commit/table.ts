import type { TableIdentifier } from "../catalog/catalog.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { LoadedTable } from "../catalog/catalog.ts";
import type { LakeEnvironment } from "./environment.ts";

/** A table as it was at one moment. Everything planned from it belongs to that moment. */
export interface Table {
  readonly identifier: TableIdentifier;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  readonly etag?: string;
}

/** The table as it is now. Fails as `not_found` when there is none. */
export async function loadTable(env: LakeEnvironment, identifier: TableIdentifier): Promise<Table> {
  return tableOf(identifier, await env.catalog.loadTable(identifier));
}

/** The table as it is now; the same object when nothing changed since `known`. */
export async function refreshTable(env: LakeEnvironment, known: Table): Promise<Table> {
  if (known.etag === undefined) return loadTable(env, known.identifier);
  const loaded = await env.catalog.loadTable(known.identifier, { ifNoneMatch: known.etag });
  return loaded === "unchanged" ? known : tableOf(known.identifier, loaded);
}

export function tableOf(identifier: TableIdentifier, loaded: LoadedTable): Table {
  const { metadata, metadataLocation, etag } = loaded;
  return { identifier, metadata, metadataLocation, ...(etag === undefined ? {} : { etag }) };
}
