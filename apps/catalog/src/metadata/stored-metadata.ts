import { stringifyLakeJson } from "@firn/lake";

/** What the catalog needs to know of metadata, be it of a table or of a view. */
export interface Located {
  readonly location: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Metadata at one location, with its JSON, which is written, cached and sent more often than made. */
export interface StoredMetadata<M extends Located> {
  readonly metadata: M;
  readonly metadataLocation: string;
  readonly json: string;
}

export function storedMetadata<M extends Located>(metadata: M, metadataLocation: string): StoredMetadata<M> {
  return { metadata, metadataLocation, json: stringifyLakeJson(metadata) };
}
