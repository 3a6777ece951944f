import { isLakeError, type LakeError } from "@firn/lake";
import { Problem } from "@firn/service";

/** 503 `table_unreadable`: the table and the file that is damaged or missing, for the person who repairs it. */
export function tableUnreadable(table: string, file: string, why: string, cause?: unknown): Problem {
  return new Problem(503, "table_unreadable", `Table ${table} cannot be read: ${file}: ${why}`, {
    errors: [{ field: table, rule: "readable", message: `${file}: ${why}` }],
    cause,
  });
}

/** What went wrong below a question, as the asker should see it; anything else is passed on. */
export function lakeProblem(error: unknown, table: string): unknown {
  if (!isLakeError(error)) return error;
  switch (error.kind) {
    case "not_found":
    case "corrupt":
    case "unsupported":
      return tableUnreadable(table, locationOf(error) ?? "its metadata", error.message, error);
    case "unavailable":
    case "unknown_outcome":
      return new Problem(503, "catalog_unavailable", `The catalog cannot be reached for ${table}: ${error.message}`, {
        headers: { "retry-after": "1" },
        cause: error,
      });
    default:
      return error;
  }
}

function locationOf(error: LakeError): string | undefined {
  const location = error.context["location"] ?? error.context["file"];
  return typeof location === "string" ? location : undefined;
}
