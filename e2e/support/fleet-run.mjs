// What scripts over a fleet share: a lake with its processes, samples that are sent while they are killed or restarted,
// and what is said of it. The lake of a run with problems is kept.
import { startLake } from "../../bench/load/lake.mjs";
import { startFleet } from "./fleet.mjs";
import { FleetLoad, fleetSummary } from "./fleet-load.mjs";

export const say = (text) => process.stderr.write(`${text}\n`);

/**
 * @param {object} run
 * @param {string} run.name of the lake's folder
 * @param {Record<string, string>} [run.env] of every process of the fleet
 * @param {{ seed: number, samples: number, users: number }} run.load
 * @param {(fleet, load) => { steps: number, seconds: number, step: (number: number) => Promise<void> }} run.plan what is
 *   done to the fleet, in so many steps within about so long
 * @param {() => Promise<{ problems: readonly string[] }>} run.finish when all is sent; what is told beside the judgement
 */
export async function runFleet({ name, env, load: amount, plan, finish }) {
  const lake = await startLake({ name, only: ["nats", "catalog"] });
  let fleet;
  let report;
  try {
    fleet = await startFleet(lake, env && { env });
    const load = new FleetLoad(fleet, amount);
    const counts = await load.run(plan(fleet, load));
    const { problems, ...found } = await finish();
    const judged = await load.judge(counts, { dir: lake.dir, environment: process.env });
    report = { seed: amount.seed, ...found, ...judged, problems: [...judged.problems, ...problems] };
  } finally {
    const keep = (report?.problems.length ?? 1) > 0;
    if (keep) say(`the lake is kept in ${lake.dir}`);
    await fleet?.stop();
    await lake.stop({ keep });
  }
  return report;
}

/** Prints the report, as JSON or with a first line of the script's own, and sets the exit code. */
export function printReport(report, { json, first }) {
  console.log(json ? JSON.stringify(report) : `${first}\n${fleetSummary(report)}`);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
}
