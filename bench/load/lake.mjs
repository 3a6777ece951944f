// Starts a lake of its own for a benchmark or a test, in a folder that is removed at the end.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../../e2e/interop/ask.mjs";

const root = join(import.meta.dirname, "..", "..");
const startLimitMs = 240_000;

/**
 * @param only names of the processes that are started; all when absent
 * @param sample whether the shipped sample is loaded
 * @param name part of the folder's name
 * @param folder where the lake lies, for one that goes on and is kept
 */
export async function startLake({ env = {}, sample = false, name = "bench", folder, only = undefined } = {}) {
  const dir = folder ?? mkdtempSync(join(tmpdir(), `firn-${name}-`));
  const endpointsFile = join(dir, "endpoints.json");
  rmSync(endpointsFile, { force: true });
  const child = spawn(
    process.execPath,
    [
      join(root, "tools", "start.mjs"),
      ...(sample ? [] : ["--no-sample"]),
      ...(only === undefined ? [] : ["--only", only.join(",")]),
      ...["--ports", "auto", "--data-dir", dir],
    ],
    { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "inherit"] },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const deadline = Date.now() + startLimitMs;
  while (!existsSync(endpointsFile)) {
    if (child.exitCode !== null) throw new Error(`the lake ended with exit code ${child.exitCode}`);
    if (Date.now() > deadline) {
      child.kill("SIGINT");
      throw new Error("the lake did not start in time");
    }
    await sleep(50);
  }
  const endpoints = JSON.parse(readFileSync(endpointsFile, "utf8"));
  return {
    dir,
    endpoints,
    async stop({ keep = folder !== undefined || process.env.BENCH_KEEP === "1" } = {}) {
      child.kill("SIGINT");
      await exited;
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Seldom asked: each answer reads every table and stream, and asking must not be the load. */
const waitMs = 30_000;

/** Waits until everything that was acknowledged is in raw and in every aggregate; returns the pipeline's answer. */
export async function settled(endpoints, limitMs = 600_000) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask(`${endpoints.query}/api/pipeline?wait_ms=${waitMs}`);
    const pipeline = await answer.json();
    if (pipeline.settled) return pipeline;
    if (Date.now() > deadline) throw new Error(`not settled in time: ${JSON.stringify(pipeline)}`);
  }
}
