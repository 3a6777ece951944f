import { stringifyLakeJson, type TableMetadata } from "@firn/lake";

/** Metadata of a table at one location, with its JSON, which is written, cached and sent more often than made. */
export interface StoredMetadata {
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
  readonly json: string;
}

export function storedMetadata(metadata: TableMetadata, metadataLocation: string): StoredMetadata {
  return { metadata, metadataLocation, json: stringifyLakeJson(metadata) };
}
