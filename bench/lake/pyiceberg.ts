/** PyIceberg's side: each step in a Python process of its own, which answers with JSON. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ensurePyIceberg } from "../../tools/foreign-servers.mjs";
import type { Cost } from "../load/cost.ts";
import { cpuSeconds } from "../load/processes.mjs";
import type { Outcome } from "./report.ts";
import type { Setting } from "./setting.ts";

export interface PythonRuns extends Outcome {
  readonly version: string;
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

  /** A step that does not end within the limit is killed; what it cost until then is all that is known of it. */
  async run(step: string, input: Readonly<Record<string, unknown>>): Promise<PythonRuns> {
    const script = join(process.cwd(), "bench", "lake", "pyiceberg_side.py");
    const child = spawn("python3", [script, step, this.#setting.catalogUri], {
      env: { ...process.env, PYTHONPATH: this.#modules },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stopped: Cost | undefined;
    const timer = setTimeout(() => {
      stopped = { wallMs: this.#limitMs, cpuMs: cpuSeconds(child.pid!) * 1000 };
      child.kill("SIGKILL");
    }, this.#limitMs);
    child.stdin.end(JSON.stringify(input));
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
    clearTimeout(timer);
    if (stopped) return { version: "", runs: [], stopped, peakMiB: 0, count: 0 };
    if (code !== 0) throw new Error(`${step} by PyIceberg ended with ${String(code)}: ${errors.slice(-2_000)}`);
    return JSON.parse(output) as PythonRuns;
  }
}
