// `npm run check`: format, tidiness, lint, types and the unit tests that need no server. Prints a line a step with its
// seconds and the output of those that fail; exits 1 when one did. What can be cached is (under .nx), so that a second
// run takes well under a minute. `--without-tests` leaves the tests out.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { bootstrap } from "./bootstrap.mjs";
import { helpIfAsked } from "./script-options.mjs";

const root = join(import.meta.dirname, "..");
const bin = (name) => join(root, "node_modules", ".bin", name);

/** Suffixes of tests that need a server, another engine or a lot of time. */
const RESOURCE_TESTS = "**/*.{nats,pg,s3,kafka,process,interop}.test.ts";

/** Steps of a group run at the same time; groups one after another. */
const GROUPS = [
  [
    step("format", bin("prettier"), ["--check", "--cache", "--cache-location", ".nx/prettiercache", "."]),
    step("tidy", process.execPath, ["tools/tidy.mjs"]),
  ],
  [
    step("lint", bin("eslint"), ["--cache", "--cache-location", ".nx/eslintcache", "."]),
    step("types", bin("tsc"), ["-p", "tsconfig.json"]),
  ],
  // Files of one worker share their modules, which halves the time; `npm test` gives each file its own.
  [
    step("unit tests", bin("vitest"), [
      "run",
      "--no-isolate",
      "--reporter=dot",
      "--exclude",
      RESOURCE_TESTS,
      "--exclude",
      "e2e/**",
    ]),
  ],
];

bootstrap([]);
/** `npm test` runs the unit tests too: what runs both leaves them out here. */
helpIfAsked();
if (process.argv.includes("--without-tests")) GROUPS.pop();
const startMs = Date.now();
let failed = 0;
for (const group of GROUPS) {
  const results = await Promise.all(group.map(run));
  for (const { name, ok, seconds, summary, output } of results) {
    console.log(`${ok ? "ok    " : "FAILED"} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s${summary}`);
    if (!ok) console.log(output.trimEnd().replaceAll(/^/gm, "       "));
    failed += ok ? 0 : 1;
  }
}
console.log(
  `check: ${failed === 0 ? "all good" : `${failed} failed`} in ${((Date.now() - startMs) / 1000).toFixed(1)} s`,
);
process.exitCode = failed === 0 ? 0 : 1;

function step(name, command, args) {
  return { name, command, args };
}

function run({ name, command, args }) {
  const stepStartMs = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: childEnvironment() });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => (output += error.message));
    child.on("close", (code) => {
      resolve({ name, ok: code === 0, seconds: (Date.now() - stepStartMs) / 1000, summary: summaryOf(output), output });
    });
  });
}

function childEnvironment() {
  return { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
}

/** Warnings of the linter and counts of the tests, worth a word even when all is well. */
function summaryOf(output) {
  const warnings = /\((\d+) errors?, ([1-9]\d*) warnings?\)/.exec(output);
  if (warnings) return `  ${warnings[2]} warnings`;
  const tests = /^\s*Tests\s+(.*)$/m.exec(output);
  return tests ? `  ${tests[1]}` : "";
}
