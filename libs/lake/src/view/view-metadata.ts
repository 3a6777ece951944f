import type { Schema } from "../metadata/schema.ts";

/**
 * View metadata as it stands in JSON (Iceberg View Specification, "View Metadata"). Values are never changed in place:
 * an update makes a new object that shares what stayed.
 */
export interface ViewMetadata {
  readonly "view-uuid": string;
  readonly "format-version": number;
  readonly location: string;
  readonly "current-version-id": number;
  readonly versions: readonly ViewVersion[];
  /** When which version became current, oldest first. */
  readonly "version-log": readonly ViewLogEntry[];
  readonly schemas: readonly Schema[];
  readonly properties: Readonly<Record<string, string>>;
}

export interface ViewVersion {
  readonly "version-id": number;
  readonly "timestamp-ms": number;
  readonly "schema-id": number;
  readonly summary: Readonly<Record<string, string>>;
  readonly representations: readonly ViewRepresentation[];
  /** Where names in the query without a catalog are looked up. */
  readonly "default-catalog"?: string;
  readonly "default-namespace": readonly string[];
}

/** The only type that the specification has is `sql`, one a dialect. */
export interface ViewRepresentation {
  readonly type: string;
  readonly sql: string;
  readonly dialect: string;
}

export interface ViewLogEntry {
  readonly "timestamp-ms": number;
  readonly "version-id": number;
}

/** The version of the view specification that is read and written. */
export const VIEW_FORMAT_VERSION = 1;
