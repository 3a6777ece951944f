// Two processes of each service over one lake; while samples are sent and questions asked, every process is ended with
// SIGTERM and started again, one after another, as a rolling update does.
//
//   node e2e/rolling-restart.mjs [--seed N] [--samples N] [--users N] [--rounds N] [--of-each N] [--json]
//
// With --of-each 1 only one of the two of each service is. Prints what was accepted, lost, doubled and out of order, and
// the worst gap, as e2e/replicas.mjs does. Exit 0 when every process ended with 0, no client had to give up, and nothing
// is wrong in the tables.
import { setTimeout as sleep } from "node:timers/promises";
import { services } from "./support/fleet.mjs";
import { printReport, runFleet, say } from "./support/fleet-run.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  seed: { type: "string", default: "1" },
  samples: { type: "string", default: "150000" },
  users: { type: "string", default: "300" },
  rounds: { type: "string", default: "2" },
  "of-each": { type: "string", default: "2" },
  json: { type: "boolean", default: false },
});
const [seed, samples, users, rounds] = [options.seed, options.samples, options.users, options.rounds].map(Number);
/** After one is ready again, before the next one ends. */
const restMs = 500;
const restarts = [];

const report = await runFleet({
  name: "rolling",
  load: { samples, users, seed },
  plan: (fleet, load) => {
    const members = services.flatMap((service) => fleet.of(service).slice(0, Number(options["of-each"])));
    const steps = rounds * members.length;
    return { seconds: steps * 1.5, steps, step: (number) => restart(members[number % members.length], load) };
  },
  finish: async () => {
    const unclean = restarts.filter(({ exitCode }) => exitCode !== 0);
    return { restarts: restarts.length, problems: unclean.map(({ name }) => `${name} did not end in order`) };
  },
});
printReport(report, { json: options.json, first: `seed ${seed}, ${report.restarts} restarts` });

async function restart(member, load) {
  await sleep(restMs);
  say(`restart ${member.name} at ${Math.round(load.share * 100)} %`);
  const exitCode = await member.end();
  restarts.push({ name: member.name, exitCode });
  await member.start();
}
