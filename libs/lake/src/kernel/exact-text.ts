/**
 * DuckDB's binding reads text by a TextDecoder that drops a byte order mark at the start of each value: an id that
 * begins with U+FEFF came back as another id. Its decoder is replaced by one that keeps every character. The binding
 * has no setting for it; the path is inside of the package, whose version is pinned.
 */
import { TextDecoder } from "node:util";
import * as dataAccessors from "@duckdb/node-api/lib/vectors/dataAccessors.js";

interface TextAccess {
  textDecoder?: TextDecoder;
}

/** Repeatable. @throws Error when the binding no longer reads text this way */
export function keepTextExact(): void {
  const { default: access } = dataAccessors as unknown as { default: TextAccess };
  if (access?.textDecoder === undefined) throw new Error("DuckDB's binding reads text in another way than expected");
  if (!access.textDecoder.ignoreBOM) access.textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
}
