/**
 * Spark's side: statements in one session of two cores (local[2]), through the same catalog, which is called `lake`. What
 * a statement costs is the CPU time of its JVM, with what that compiles and collects meanwhile.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as engine from "../../tools/engines/spark.mjs";
import type { Cost } from "../load/cost.ts";
import { cpuSeconds } from "../load/processes.mjs";
import { namespace } from "./events.ts";
import type { Outcome } from "./report.ts";
import type { Setting } from "./setting.ts";

const heap = "2g";

export class Spark {
  readonly #setting: Setting;
  readonly #limitMs: number;
  #session: engine.SqlSession | undefined;
  #warm = new Set<string>();

  constructor(setting: Setting, limitMs: number) {
    this.#setting = setting;
    this.#limitMs = limitMs;
  }

  /** A statement that is not counted. The first one starts the session. */
  async sql(statement: string): Promise<unknown[][]> {
    return (await this.#open()).sql(statement);
  }

  /** Does some work once a session before it is counted, so that the JVM has loaded and compiled what it needs. */
  async warmUp(kind: string, work: () => Promise<Outcome>): Promise<void> {
    await this.#open();
    if (this.#warm.has(kind)) return;
    const { stopped } = await work();
    if (stopped) console.log(`  Spark's warm-up (${kind}) was stopped at the limit: what follows begins cold`);
    else this.#warm.add(kind);
  }

  /** A statement that does not end within the limit is killed with its session; the next one starts another. */
  async timed(statement: string): Promise<Outcome> {
    const session = await this.#open();
    const cpuBefore = cpuSeconds(session.pid);
    const started = performance.now();
    const cost = (): Cost => ({
      wallMs: performance.now() - started,
      cpuMs: (cpuSeconds(session.pid) - cpuBefore) * 1000,
    });
    const killed: Cost[] = [];
    const timer = setTimeout(() => {
      killed.push(cost());
      process.kill(session.pid, "SIGKILL");
    }, this.#limitMs);
    const runs: Cost[] = [];
    try {
      await session.sql(statement);
      runs.push(cost());
    } catch (error) {
      if (killed.length === 0) throw error;
    } finally {
      clearTimeout(timer);
    }
    const [stopped] = killed;
    if (stopped === undefined) return { runs };
    await this.stop();
    return { runs: [], stopped };
  }

  async stop(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#warm = new Set();
    await session?.stop();
  }

  async #open(): Promise<engine.SqlSession> {
    if (this.#session) return this.#session;
    // By its path from the root: this file runs bundled, and Spark's session is compiled from sources beside that module.
    const module = pathToFileURL(join(process.cwd(), "tools", "engines", "spark.mjs")).href;
    const { startSpark } = (await import(module)) as typeof engine;
    const limitMs = this.#limitMs + 60_000;
    this.#session = await startSpark({ catalogUri: this.#setting.catalogUri, heap, limitMs });
    return this.#session;
  }
}

/** A table as Spark's statements name it. */
export const sparkTable = (name: string): string => `lake.${namespace}.${name}`;

/** A Parquet file as Spark's statements read it. */
export const sparkSource = (path: string): string => `parquet.\`${path}\``;
