import { tablesOf } from "@firn/core";
import { definedIdentifier, loadTable } from "@firn/lake";
import { Command, InvalidArgumentError } from "commander";

import { runCommand, type CommandResult } from "../command.ts";
import { EXIT } from "../exit-code.ts";
import { findLake, withLakeOptions, type LakeOptions } from "../lake-location.ts";
import { chosenDatasets, openLake, unlessMissing } from "../lake-tables.ts";
import { tableLine } from "../tables-command.ts";
import { formatTable } from "../text-table.ts";
import { growth, monthlyCost, totalOf, type CostLine, type GrowthYear } from "./cost-model.ts";

const GB = 1e9;
/** The reference's 5 GB a month. */
const SCANNED_GB = 5;
/** The reference's 3.4 GB that become 1 GB. */
const COMPRESSION = 1 / 3.4;

const HELP = `
Sizes are those of the market's Iceberg tables as they are now; what questions scan in a month is said by
--scanned-gb (each answer tells its own in stats.bytes_read). Prices are those of the reference
(apps/cli/src/cost/prices.ts). The growth takes the reference's sizes.

Examples
  firn cost
  firn cost --scanned-gb 120 --json

Exit codes: 0 done, 2 wrong usage, 3 the catalog does not answer.`;

interface CostOptions extends LakeOptions {
  readonly scannedGb: number;
}

export function costCommand(): Command {
  const command = new Command("cost")
    .summary("what the market lake costs a month")
    .description("Prints the monthly bill before and after, and how it grows.")
    .option("--scanned-gb <n>", "gigabytes that questions scan in a month", gigabytes, SCANNED_GB)
    .addHelpText("after", HELP);
  return withLakeOptions(command).action((options: CostOptions) => runCommand(options, () => cost(options)));
}

async function cost(options: CostOptions): Promise<CommandResult> {
  const env = await openLake(findLake(options));
  let tableBytes = 0;
  for (const definition of chosenDatasets("market").flatMap(tablesOf)) {
    const table = await unlessMissing(loadTable(env, definedIdentifier(definition)));
    if (table !== undefined) tableBytes += tableLine(definition.name, table.metadata).bytes;
  }
  const usage = { tableBytes, scannedBytes: options.scannedGb * GB };
  const lines = monthlyCost(usage);
  const years = growth(usage, COMPRESSION);
  const total = totalOf(lines);
  return {
    exitCode: EXIT.done,
    json: { ...usage, monthly: lines, total, saved: total.before - total.after, growth: years },
    text: costText(lines, years, tableBytes),
  };
}

function costText(lines: readonly CostLine[], years: readonly GrowthYear[], tableBytes: number): string {
  const money = (value: number) => value.toFixed(3);
  const { before, after } = totalOf(lines);
  const rows = [
    ...lines.map((line) => [
      line.part,
      line.item,
      money(line.before),
      money(line.after),
      money(line.after - line.before),
    ]),
    ["total", "", money(before), money(after), money(after - before)],
  ];
  const sums = years.reduce(
    (sum, year) => ({ before: sum.before + year.before * 12, after: sum.after + year.after * 12 }),
    {
      before: 0,
      after: 0,
    },
  );
  return [
    `Iceberg tables of the market lake: ${(tableBytes / GB).toFixed(6)} GB. US dollars a month:`,
    formatTable(["", "", "before", "after", "difference"], rows),
    `saved ${((100 * (before - after)) / before).toFixed(1)} %, ${money((before - after) * 12)} a year`,
    "",
    "As the data grows, US dollars a month:",
    formatTable(
      ["year", "GB", "before", "after", "saved"],
      years.map((year) => [
        `Y${year.year}`,
        year.gigabytes.toFixed(1),
        money(year.before),
        money(year.after),
        `${((100 * (year.before - year.after)) / year.before).toFixed(0)} %`,
      ]),
    ),
    `all six years: ${money(sums.before)} before, ${money(sums.after)} after`,
  ].join("\n");
}

function gigabytes(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("must be a number of gigabytes");
}
