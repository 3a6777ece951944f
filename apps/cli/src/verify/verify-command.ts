import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

import { recordTablesOf } from "@firn/core";
import { openKernel } from "@firn/lake";
import { Command } from "commander";

import { runCommand, type CommandResult } from "../command.ts";
import { readConfig } from "../config.ts";
import { EXIT } from "../exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "../lake-location.ts";
import { chosenDatasets, openLake } from "../lake-tables.ts";
import { wholeNumber } from "../option-values.ts";
import { verifyDerived } from "./verify-derived.ts";
import { verifyOnce } from "./verify-doubles.ts";
import { verifyRollup, type RollupVerdict, type VerifyContext } from "./verify-rollup.ts";

interface VerifyOptions extends LakeOptions {
  readonly examples: number;
  readonly memory: number;
}

const EXAMPLES = 10;
const EXAMPLES_MAX = 10_000;
const MEMORY_MB = 1024;
const MEMORY_MB_MAX = 1024 * 1024;

const HELP = `
Every row of every aggregate is computed from scratch by plain SQL over the snapshot of raw that the
aggregate names, while the lake runs, and compared: counts, minimum, maximum, first and last exactly,
sums and means within 1e-9 of their size, the standard deviation within 1e-9 of the larger of it and the
mean, windows and calendar columns exactly. Raw and dead letters are looked through for identities that
stand there twice.

Examples
  firn verify
  firn status --wait && firn verify health
  firn verify --json | jq '.tables[] | select(.ok | not)'

Exit codes: 0 all equal, 1 something differs, 2 wrong usage, 3 the lake cannot be read.`;

export function verifyCommand(): Command {
  const command = new Command("verify")
    .summary("do the aggregates equal raw")
    .description("Recomputes every aggregate and every derived column by plain SQL and compares.")
    .argument("[lake]", "only this lake, for example health")
    .option("--examples <n>", "differences to print for each table", wholeNumber(EXAMPLES_MAX), EXAMPLES)
    .option("--memory <MiB>", "memory to use; more is spilled to disk", wholeNumber(MEMORY_MB_MAX), MEMORY_MB)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((name: string | undefined, options: VerifyOptions) =>
    runCommand(options, () => verify(name, options)),
  );
}

async function verify(name: string | undefined, options: VerifyOptions): Promise<CommandResult> {
  const { defaultZone } = readConfig();
  const chosen = chosenDatasets(name);
  const env = await openLake(findLake(options));
  const tempDir = await mkdtemp(join(tmpdir(), "firn-verify-"));
  const kernel = await openKernel({ memoryLimitMb: options.memory, threads: availableParallelism(), tempDir });
  const connection = await kernel.connect();
  try {
    const context: VerifyContext = { env, connection, defaultZone, examplesMax: options.examples };
    const verdicts: RollupVerdict[] = [];
    for (const dataset of chosen) {
      for (const table of recordTablesOf(dataset)) {
        verdicts.push(await verifyOnce(context, table.definition));
        if (table.derived !== undefined) verdicts.push(await verifyDerived(context, table, table.derived));
      }
      verdicts.push(await verifyOnce(context, dataset.errors));
      for (const rollup of dataset.rollups) verdicts.push(await verifyRollup(context, dataset, rollup));
    }
    return resultOf(verdicts);
  } finally {
    connection.close();
    kernel.close();
    await rm(tempDir, { recursive: true, force: true });
  }
}

function resultOf(verdicts: readonly RollupVerdict[]): CommandResult {
  const ok = verdicts.every((verdict) => verdict.ok);
  return {
    exitCode: ok ? EXIT.done : EXIT.no,
    json: { ok, tables: verdicts },
    text: verdicts.flatMap(verdictLines).join("\n"),
  };
}

function verdictLines(verdict: RollupVerdict): string[] {
  const number = (value: number) => value.toLocaleString("en-US");
  const of = verdict.source_snapshot_id === null ? "" : `, equal to raw at snapshot ${verdict.source_snapshot_id}`;
  const found = verdict.message ?? `${number(verdict.rows)} rows, each once${of}`;
  if (verdict.ok) return [`ok   ${verdict.table}: ${found}`];
  const lines = verdict.examples.map(
    ({ difference, ...key }) => `     ${Object.values(key).join(" ")}: ${String(difference)}`,
  );
  const more = verdict.differences - verdict.examples.length;
  return [
    `FAIL ${verdict.table}: ${verdict.message ?? `${number(verdict.differences)} differences`}`,
    ...lines,
    ...(more > 0 ? [`     … and ${number(more)} more`] : []),
  ];
}
