// Two processes of each of ingest, validator, aggregator, catalog-writer and query over one lake; one of each is killed
// with SIGKILL while samples are sent, in an order and at moments that the seed gives.
//
//   node e2e/replicas.mjs [--seed N] [--samples N] [--users N] [--kills N] [--lease-ms N] [--json]
//
// A process that was killed comes back at once, or so late that others have taken over what it did, in turns. Prints
// what was accepted, lost, doubled and out of order, and the worst gap: the longest time in which accepted records
// waited and none came into the tables. Exit 0 when nothing is wrong and `firn verify` finds aggregates equal to raw.
import { setTimeout as sleep } from "node:timers/promises";
import { random } from "../bench/load/health-samples.mjs";
import { services } from "./support/fleet.mjs";
import { printReport, runFleet, say } from "./support/fleet-run.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  seed: { type: "string", default: "1" },
  samples: { type: "string", default: "200000" },
  users: { type: "string", default: "300" },
  kills: { type: "string", default: "15" },
  "lease-ms": { type: "string", default: "5000" },
  json: { type: "boolean", default: false },
});
const [seed, samples, users, kills] = [options.seed, options.samples, options.users, options.kills].map(Number);
const leaseMs = Number(options["lease-ms"]);
const comesBackMs = { soon: 200, late: leaseMs + 2_000 };
const draw = random(seed * 11 + 5);
const killed = {};
const back = [];

const report = await runFleet({
  name: "replicas",
  env: { FIRN_LEASE_MS: String(leaseMs) },
  load: { samples, users, seed },
  plan: (fleet, load) => ({ seconds: kills * 2, steps: kills, step: (number) => killOne(number, fleet, load) }),
  finish: async () => {
    await Promise.all(back);
    return { killed, problems: [] };
  },
});
printReport(report, { json: options.json, first: `seed ${seed}, killed ${names(killed)}` });

/** Waits a moment, and until both of a service are there. */
async function killOne(number, fleet, load) {
  await sleep(300 + draw() * 1_200);
  const service = services[number % services.length];
  const [one, other] = shuffled(fleet.of(service));
  while (!one.url || !other.url) await sleep(20);
  say(`kill ${one.name} at ${Math.round(load.share * 100)} %`);
  await one.kill();
  killed[one.name] = (killed[one.name] ?? 0) + 1;
  const delayMs = number % 2 === 0 ? comesBackMs.late : comesBackMs.soon;
  back.push(sleep(delayMs).then(() => one.start()));
}

function shuffled(members) {
  return draw() < 0.5 ? members : [...members].reverse();
}

function names(killed) {
  return Object.entries(killed)
    .map(([name, times]) => `${name} ${times}×`)
    .join(", ");
}
