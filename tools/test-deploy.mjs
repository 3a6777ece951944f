// `npm run test:deploy`: the files under deploy/ and docker-compose.yml. Linters and offline validators judge them, each
// of them is shown an error that it must find; then every container of the chart, with each values file, and of the
// compose file runs as a process of this machine and the health lake does its work on exactly that set. The last line is
// `N passed, N failed, N skipped`.
//
//   --files            stops before the containers
//   --only=PART,…      files, small, laptop, production, compose
//   --trino            the compose file's Trino too, which is fetched (0.8 GB) where it is not at hand
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appNames, bootstrap, say } from "./bootstrap.mjs";
import { backupDrill } from "./deploy/backup-drill.mjs";
import { ensureDeployTools } from "./deploy/deploy-tools.mjs";
import { fileChecks } from "./deploy/file-checks.mjs";
import { plantErrors } from "./deploy/planted-errors.mjs";
import { Report } from "./deploy/report.mjs";
import { runChart } from "./deploy/run-chart.mjs";
import { runCompose } from "./deploy/run-compose.mjs";
import { whyNoTrino } from "./engines/trino.mjs";
import { ensurePostgresTools, ensureWeed, trinoIsHere } from "./foreign-servers.mjs";
import { ensureKafka, ensureRegistry, whyNoKafka } from "./kafka-servers.mjs";
import { ensureNatsServer } from "./nats-server.mjs";
import { helpIfAsked } from "./script-options.mjs";

const root = join(import.meta.dirname, "..");
const [, chosen] = process.argv.map((arg) => /^--only=(.*)$/.exec(arg)).find(Boolean) ?? [];
const only = process.argv.includes("--files") ? ["files"] : chosen?.split(",");
const isChosen = (part) => only === undefined || only.includes(part);

helpIfAsked();
const report = new Report();
bootstrap(appNames());
const tools = ensureDeployTools(say);
// Neither the linters nor a set keeps two cores busy alone: with nothing chosen, a process of its own does these.
const beside = only === undefined ? runBeside(["files", "laptop"]) : undefined;
const chosenParts = ["files", "small", "laptop", "production", "compose"].filter(isChosen);
const own = beside === undefined ? chosenParts : ["small", "production", "compose"];
if (own.includes("files")) judgeFiles();
const parts = own.filter((part) => part !== "files");
if (parts.length > 0) {
  const programs = await fetchPrograms();
  for (const part of parts) {
    const world = { report, root, tools, programs };
    // Backup and restore is tried on the chart that brings its servers with it.
    try {
      if (part === "compose") await runCompose(world);
      else await runChart(world, part, part === "small" ? backupDrill : undefined);
    } catch (error) {
      report.check(part, false, error.message);
    }
  }
}
if (beside !== undefined) report.add(await beside);
report.end();

/** @returns what a process of its own has written that did these parts */
function runBeside(parts) {
  const args = [import.meta.filename, `--only=${parts.join(",")}`];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    process.once("exit", () => child.kill());
  });
}

function judgeFiles() {
  report.step("Files");
  const checks = fileChecks(tools);
  for (const { name, run } of checks) {
    const problems = attempt(() => run(root));
    report.check(name, problems.length === 0, problems.join("\n      "));
  }
  report.step("Planted errors");
  for (const { name, found } of plantErrors(root, checks)) report.check(name, found, "not found");
}

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return [error.message];
  }
}

/** What stands for other people's images. Those in Java only where they can run. */
async function fetchPrograms() {
  const noKafka = whyNoKafka();
  const noTrino = whyNoTrino() ?? (wantsTrino() ? undefined : "see --trino");
  const postgres = readableByNobody(ensurePostgresTools());
  return {
    natsServer: await ensureNatsServer({ log: say }),
    weed: ensureWeed(),
    prometheus: tools.prometheus,
    postgres: {
      postgres: join(postgres, "postgres"),
      initdb: join(postgres, "initdb"),
      dump: join(postgres, "pg_dump"),
      restore: join(postgres, "pg_restore"),
    },
    ...(noKafka === undefined ? { kafka: ensureKafka(say), registry: ensureRegistry(say) } : {}),
    hasTrino: noTrino === undefined,
    why: { kafka: noKafka, trino: noTrino },
  };
}

/** Where it is at hand already, but for CI, whose time is short. */
function wantsTrino() {
  return process.argv.includes("--trino") || (trinoIsHere() && !process.env.CI);
}

/** Root runs PostgreSQL as nobody, who does not come into root's cache. */
function readableByNobody({ folder, bin }) {
  const copy = mkdtempSync(join(tmpdir(), "firn-postgres-tools-"));
  process.once("exit", () => rmSync(copy, { recursive: true, force: true }));
  cpSync(folder, copy, { recursive: true });
  chmodSync(copy, 0o755);
  return join(copy, bin);
}
