import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { CommandError, EXIT } from "../exit-code.ts";
import { appleSource } from "./apple-health.ts";
import { fitbitKindOf, fitbitSource } from "./fitbit-csv.ts";
import type { InputFile } from "./input-file.ts";
import { ndjsonSource } from "./ndjson.ts";
import type { ReplaySource } from "./payload-line.ts";

export interface SourceOptions {
  readonly user?: string;
  readonly device?: string;
  readonly timezone?: string;
  readonly preferSources?: readonly string[];
}

/** Knows the kind of a file by its first bytes. @throws CommandError (usage) for a file of no known kind. */
export function openSource(file: InputFile, options: SourceOptions, recordsMember = "samples"): ReplaySource {
  const head = file.head
    .toString("utf8")
    .replace(/^\uFEFF/, "")
    .trimStart();
  if (head.startsWith("PK")) throw unknownKind(file, "is a zip archive: unpack it and replay its export.xml");
  if (head.startsWith("<")) return openApple(file, options);
  if (head.startsWith("{")) return ndjsonSource(file.chunks, recordsMember);
  if (head.startsWith("[")) throw unknownKind(file, "is a JSON array: write one payload a line (NDJSON)");
  const header = head.split(/\r?\n/, 1)[0] ?? "";
  const kind = fitbitKindOf(header);
  if (kind !== undefined) return fitbitSource(kind, file.chunks, options);
  throw unknownKind(file, `is of no kind that can be replayed; its first line is "${header.slice(0, 80)}"`);
}

function openApple(file: InputFile, options: SourceOptions): ReplaySource {
  if (options.user === undefined) {
    throw new CommandError(EXIT.usage, `${file.path}: an Apple Health export names no person`, {
      fix: "Pass --user ID",
    });
  }
  return appleSource(file.chunks, {
    ...options,
    user: options.user,
    electrocardiograms: electrocardiograms(file.path),
  });
}

/** Recordings lie beside export.xml as CSV files of their own. */
function electrocardiograms(exportPath: string): number {
  try {
    return readdirSync(join(dirname(exportPath), "electrocardiograms")).filter((name) => name.endsWith(".csv")).length;
  } catch {
    return 0;
  }
}

function unknownKind(file: InputFile, what: string): CommandError {
  return new CommandError(EXIT.usage, `${file.path}: ${what}`, {
    fix: "Known are Fitbit CSV, Apple Health export.xml and NDJSON payloads, also as .gz; see firn replay --help",
  });
}
