import type { QuestionParameters, QuestionRow } from "@firn/client";
import { datasets } from "@firn/datasets";
import { Command } from "commander";

import { lakeQuery } from "./lake-clients.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, requireAddress, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { chosenDatasets } from "./lake-tables.ts";
import { wholeNumber } from "./option-values.ts";
import { formatTable } from "./text-table.ts";

interface ErrorsOptions extends LakeOptions {
  readonly lake: string;
  readonly user?: string;
  readonly type?: string;
  readonly since?: string;
  readonly limit: number;
}

type Parameters = QuestionParameters<"health.errors">;

const LAKE = "health";
const LIMIT = 20;
const LIMIT_MAX = 10_000;

const HELP = `
A dead letter is a record that was accepted and then refused, with the field, the rule and its original
bytes (raw_payload, shown by --json). Types: validation_error, deserialization_error,
transformation_error, schema_error, processing_error.

Examples
  firn errors
  firn errors --lake sales
  firn errors --user bad-records --limit 100
  firn errors --type transformation_error --since 2026-01-01T00:00:00Z --json

Exit codes: 0 done, 2 wrong usage, 3 query does not answer.`;

export function errorsCommand(): Command {
  const command = new Command("errors")
    .summary("the newest dead letters")
    .description("Shows records of a lake that were refused, newest first, and why.")
    .option("--lake <name>", [...datasets.keys()].join(", "), LAKE)
    .option("--user <id>", "only of this user, in a lake whose records have one")
    .option("--type <error_type>", "only of this type")
    .option("--since <instant>", "only since then (ISO 8601 with offset)")
    .option("--limit <n>", `at most so many, up to ${LIMIT_MAX}`, wholeNumber(LIMIT_MAX), LIMIT)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: ErrorsOptions) =>
    runCommand(options, (signal) => errors(options, signal)),
  );
}

async function errors(options: ErrorsOptions, signal: AbortSignal): Promise<CommandResult> {
  const [dataset] = chosenDatasets(options.lake);
  const client = lakeQuery(requireAddress(findLake(options), "query"), { retry: { attemptsMax: 3 } });
  const parameters = {
    user_id: options.user,
    error_type: options.type,
    start_time: options.since,
    limit: options.limit,
  };
  const answer = await client.ask(`${dataset!.name}.errors` as "health.errors", parameters as unknown as Parameters, {
    signal,
  });
  return { exitCode: EXIT.done, json: answer.data, text: formatErrors(answer.data) };
}

const MESSAGE_LENGTH = 100;

function formatErrors(rows: readonly QuestionRow<"health.errors">[]): string {
  if (rows.length === 0) return "no dead letters";
  return formatTable(
    ["time", "type", "user", "sample", "message"],
    rows.map((row) => [
      row.error_timestamp,
      row.error_type,
      row.user_id ?? "",
      row.sample_id ?? "",
      row.error_message.slice(0, MESSAGE_LENGTH),
    ]),
  );
}
