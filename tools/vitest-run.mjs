// Runs vitest, counts what came of it, and says at its end which tests failed, so that nobody searches the log.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");

/** Tests with servers and processes: a machine that stalls for half a minute fails them, and is no defect. */
const WITH_PROCESSES = /\.(nats|pg|s3|kafka|process|interop)\.test\.ts$|^e2e\//;

/** A property test that fails found a counterexample, which another seed would hide; so would another moment of a kill. */
const IS_PROPERTY_TEST = /from "fast-check"/;
const KILLS = /kill|crash|replica|restart|lost/;

/** More failed files than this are no accident. */
const SECOND_TRY_FILES_MAX = 3;

/**
 * @param {{ name: string, args?: string[], env?: NodeJS.ProcessEnv }} run `name` names the report under .nx.
 * @returns {{ passed: number, failed: number, skipped: number }} A suite that could not run is one failed test. In CI
 *   (`CI` is set) up to three files that start processes have a second try, alone; the output names them.
 */
export function runVitest({ name, args = [], env = process.env }) {
  const first = attempt(`${name}-report`, args, env);
  const again = env.CI ? first.failedFiles : [];
  if (again.length === 0 || again.length > SECOND_TRY_FILES_MAX || !again.every(mayTryAgain)) return told(first);
  console.log(`\nA second try, alone: ${again.join(", ")}`);
  const second = attempt(`${name}-second-report`, [...withoutFiles(args), "--maxWorkers=1", ...again], env);
  if (second.failed === 0) console.log(`\nPassed at the second try only: ${first.failures.join("; ")}`);
  return told({
    passed: first.passed + Math.max(0, first.failed - second.failed),
    failed: second.failed,
    skipped: first.skipped,
    failures: second.failures,
  });
}

function told({ passed, failed, skipped, failures }) {
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ✗ ${failure}`).join("\n")}\n`);
  return { passed, failed, skipped };
}

function attempt(name, args, env) {
  const report = join(root, ".nx", `${name}.json`);
  mkdirSync(join(root, ".nx"), { recursive: true });
  rmSync(report, { force: true });
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const run = spawnSync(process.execPath, [vitest, "run", ...reporters, ...args], { cwd: root, stdio: "inherit", env });
  const result = resultOf(report);
  if (run.status === 0 || result.failed > 0) return result;
  return { ...result, failed: 1, failures: [`vitest ended with ${run.status ?? run.signal}`] };
}

function resultOf(report) {
  let json;
  try {
    json = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: ["vitest left no report"], failedFiles: [] };
  }
  const failed = json.testResults.filter((file) => file.status === "failed");
  const failures = failed.flatMap((file) => {
    const tests = file.assertionResults.filter((test) => test.status === "failed");
    const names = tests.length > 0 ? tests.map((test) => test.fullName) : ["could not run"];
    return names.map((test) => `${relative(root, file.name)}: ${test}`);
  });
  return {
    passed: json.numPassedTests,
    failed: failures.length,
    skipped: json.numPendingTests + json.numTodoTests,
    failures,
    failedFiles: failed.map((file) => relative(root, file.name)),
  };
}

function mayTryAgain(file) {
  if (KILLS.test(file)) return false;
  return WITH_PROCESSES.test(file) && !IS_PROPERTY_TEST.test(readFileSync(join(root, file), "utf8"));
}

/** The options of a run, without the files that it was asked for. */
function withoutFiles(args) {
  return args.filter((arg) => !arg.endsWith(".test.ts"));
}
