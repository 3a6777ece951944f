import { Command } from "commander";

import { askService } from "./ask-service.ts";
import { runCommand, type CommandResult } from "./command.ts";
import { EXIT } from "./exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "./lake-location.ts";
import { formatTable } from "./text-table.ts";

const TIMEOUT_MS = 300_000;

const HELP = `
Rules, for each table of prices: freshness (trading days without any price), and over the newest 90 days
nulls (adj_close), returns (beyond ±50 %), volume (days with none), gaps (trading days that a ticker
lacks). What was found is stored in analytics.tb_quality too, and is a metric of the market service.

Examples
  firn quality
  firn quality --json | jq '.[] | select(.passed | not)'

Exit codes: 0 every rule holds, 1 one does not, 2 wrong usage, 3 the market service does not answer.`;

/** As the market service answers it. */
interface Finding {
  readonly table: string;
  readonly rule: string;
  readonly subject: string;
  readonly passed: boolean;
  readonly findings: number;
  readonly detail: string | null;
}

export function qualityCommand(): Command {
  const command = new Command("quality")
    .summary("is the market's data fresh and whole")
    .description("Checks the quality of the market's prices now, as the schedule does every day.")
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: LakeOptions) => runCommand(options, () => quality(options)));
}

async function quality(options: LakeOptions): Promise<CommandResult> {
  const findings = (await askService(findLake(options), "market.quality", {}, TIMEOUT_MS)) as readonly Finding[];
  const rows = findings.map(({ detail, passed, rule, subject, table }) => [
    passed ? "ok" : "FAIL",
    table,
    rule,
    subject,
    detail ?? "",
  ]);
  const text = rows.length === 0 ? "no prices to check" : formatTable(["", "table", "rule", "of", "found"], rows);
  return { exitCode: findings.every(({ passed }) => passed) ? EXIT.done : EXIT.no, json: findings, text };
}
