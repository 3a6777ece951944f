/** PyIceberg's side: each step in a Python process of its own, which answers with JSON. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ensurePyIceberg } from "../../tools/foreign-servers.mjs";
import type { Cost } from "../load/cost.ts";
import type { Setting } from "./setting.ts";

export interface PythonRuns {
  readonly version: string;
  readonly runs: readonly Cost[];
  readonly peakMiB: number;
  /** Rows or files that the step came to. */
  readonly count: number;
}

export class PyIceberg {
  readonly #modules = ensurePyIceberg();
  readonly #setting: Setting;
  readonly #limitMs: number;

  constructor(setting: Setting, limitMs: number) {
    this.#setting = setting;
    this.#limitMs = limitMs;
  }

  /** @returns undefined where the step did not end within the limit */
  async run(step: string, input: Readonly<Record<string, unknown>>): Promise<PythonRuns | undefined> {
    const script = join(process.cwd(), "bench", "lake", "pyiceberg_side.py");
    const child = spawn("python3", [script, step, this.#setting.catalogUri], {
      env: { ...process.env, PYTHONPATH: this.#modules },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, this.#limitMs);
    child.stdin.end(JSON.stringify(input));
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    clearTimeout(timer);
    if (isLate) return undefined;
    if (code !== 0) throw new Error(`${step} by PyIceberg ended with ${String(code)}: ${errors.slice(-2_000)}`);
    return JSON.parse(output) as PythonRuns;
  }
}
