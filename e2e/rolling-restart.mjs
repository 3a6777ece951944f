// Two processes of each service over one lake; while samples are sent and questions asked, every process is ended with
// SIGTERM and started again, one after another, as a rolling update does.
//
//   node e2e/rolling-restart.mjs [--seed N] [--samples N] [--users N] [--rounds N] [--of-each N] [--json]
//
// With --of-each 1 only one of the two of each service is. Prints what was accepted, lost, doubled and out of order, and the worst gap, as e2e/replicas.mjs does. Exit 0 when
// every process ended with 0, no client had to give up, and nothing is wrong in the tables.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLake } from "../bench/load/lake.mjs";
import { services, startFleet } from "./support/fleet.mjs";
import { FleetLoad, fleetSummary } from "./support/fleet-load.mjs";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    samples: { type: "string", default: "150000" },
    users: { type: "string", default: "300" },
    rounds: { type: "string", default: "2" },
    "of-each": { type: "string", default: "2" },
    json: { type: "boolean", default: false },
  },
});
const [seed, samples, users, rounds] = [options.seed, options.samples, options.users, options.rounds].map(Number);
/** After one is ready again, before the next one ends. */
const restMs = 500;
const say = (text) => process.stderr.write(`${text}\n`);

const lake = await startLake({ name: "rolling", only: ["nats", "catalog"] });
let fleet;
let report;
try {
  fleet = await startFleet(lake);
  const load = new FleetLoad(fleet, { samples, users, seed });
  const restarts = [];
  const members = services.flatMap((service) => fleet.of(service).slice(0, Number(options["of-each"])));
  const steps = rounds * members.length;
  const step = (number) => restart(members[number % members.length], load, restarts);
  const counts = await load.run({ seconds: steps * 1.5, steps, step });
  const judged = await load.judge(counts, { dir: lake.dir, environment: process.env });
  const uncleanEnds = restarts
    .filter(({ exitCode }) => exitCode !== 0)
    .map(({ name }) => `${name} did not end in order`);
  report = { seed, restarts: restarts.length, ...judged, problems: [...judged.problems, ...uncleanEnds] };
} finally {
  const keep = (report?.problems.length ?? 1) > 0;
  if (keep) say(`the lake is kept in ${lake.dir}`);
  await fleet?.stop();
  await lake.stop({ keep });
}
console.log(
  options.json ? JSON.stringify(report) : `seed ${seed}, ${report.restarts} restarts\n${fleetSummary(report)}`,
);
process.exitCode = report.problems.length === 0 ? 0 : 1;

async function restart(member, load, restarts) {
  await sleep(restMs);
  say(`restart ${member.name} at ${Math.round(load.share * 100)} %`);
  const exitCode = await member.end();
  restarts.push({ name: member.name, exitCode });
  await member.start();
}
