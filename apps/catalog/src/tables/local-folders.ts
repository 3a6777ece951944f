import { mkdir } from "node:fs/promises";
import { metadataFolder, pathOfLocation, type TableMetadata } from "@firn/lake";

/**
 * Makes the metadata folder of a table that is only staged. On a local disk engines such as DuckDB expect it: they
 * write manifests for their create-table-as before the commit that writes the first metadata file.
 */
export async function makeMetadataFolder(metadata: TableMetadata): Promise<void> {
  const folder = metadataFolder(metadata);
  if (folder.startsWith("file:") || folder.startsWith("/")) await mkdir(pathOfLocation(folder), { recursive: true });
}
