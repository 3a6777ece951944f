import { type EnvelopeCheck, type EnvelopeProblem, isWellFormedText, type JsonSchema } from "@firn/core";

/**
 * The envelope of market: an object with the name of a table of the lake in `table`, and rows of it in `rows`, or
 * identities of rows that are to go in `deleted`, or both. The rows of a table are one shard, so that of several
 * senders the later one wins.
 */
export function checkMarketEnvelope(tables: ReadonlySet<string>, parsed: unknown): EnvelopeCheck {
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    return { ok: false, problems: [problem("", "object", "the payload must be an object")] };
  }
  const payload = parsed as Readonly<Record<string, unknown>>;
  const problems: EnvelopeProblem[] = [];
  const { table, source, rows, deleted } = payload;
  if (table === undefined) problems.push(problem("table", "required", "table is missing"));
  else if (typeof table !== "string" || !tables.has(table)) {
    problems.push(problem("table", "known", `table must be one of ${[...tables].join(", ")}`));
  }
  if (source !== undefined && !(typeof source === "string" && source.length <= 256 && isWellFormedText(source))) {
    problems.push(problem("source", "string", "source must be a text of at most 256 characters where it is given"));
  }
  if (rows === undefined && deleted === undefined) problems.push(problem("rows", "required", "rows is missing"));
  for (const [field, value] of [
    ["rows", rows],
    ["deleted", deleted],
  ] as const) {
    if (value !== undefined && !Array.isArray(value)) {
      problems.push(problem(field, "array", `${field} must be an array`));
    }
  }
  for (const field of Object.keys(payload)) {
    if (!MEMBERS.has(field)) problems.push(problem(field, "known", `${JSON.stringify(field)} is not a known field`));
  }
  if (problems.length > 0) return { ok: false, problems };
  const records = lengthOf(rows) + lengthOf(deleted);
  return { ok: true, shardKey: table as string, records };
}

const MEMBERS: ReadonlySet<string> = new Set(["table", "source", "rows", "deleted"]);

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function problem(field: string, rule: string, message: string): EnvelopeProblem {
  return { field, rule, message };
}

/** What a payload looks like, for those who send some. */
export function marketPayloadSchema(tables: ReadonlySet<string>): JsonSchema {
  return {
    type: "object",
    required: ["table"],
    additionalProperties: false,
    properties: {
      table: { type: "string", enum: [...tables], description: "Table of the market lake that the rows are of." },
      source: { type: "string", maxLength: 256, description: "What sends: a job, an importer, a client." },
      rows: {
        type: "array",
        description: "Rows by the table's columns; the same identity again is a duplicate, or a correction.",
        items: { type: "object", description: "Not checked here: a row that breaks a rule ends in the errors table." },
      },
      deleted: {
        type: "array",
        description: "Identities of rows that are to go, by the table's identity columns.",
        items: { type: "object" },
      },
    },
  };
}
