import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child, type ChildExit } from "./child-process.ts";
import { waitFor } from "./wait-for.ts";

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));
const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 20_000;

export interface AppOptions {
  /** The folder under apps/; runs its dist/main.js. */
  app: string;
  /** All of its environment but PATH, HOME and NODE_OPTIONS, which it takes from here. */
  env: Readonly<Record<string, string>>;
  args?: readonly string[];
  cwd?: string;
  /** Everything it writes goes there too. */
  logFile?: string;
  readyLimitMs?: number;
  /** Ready when this answers 2xx; absent: when it sends `{ kind: "ready", url }` over IPC. */
  healthUrl?: string;
}

export interface AppProcess {
  readonly app: string;
  readonly pid: number;
  /** Where it listens, as it said when it was ready; the origin of healthUrl when that was given. */
  readonly url: string;
  readonly exited: Promise<ChildExit>;
  log(): string;
  /** SIGTERM, waits for the drain; SIGKILL at the limit. */
  stop(): Promise<ChildExit>;
  /** kill -9 by its pid. */
  kill(): Promise<ChildExit>;
}

/** Starts a built app as a process of its own and waits until it is ready. Throws with its log when it ends before. */
export function startApp(options: AppOptions): Promise<AppProcess> {
  return startScript(join(REPOSITORY, "apps", options.app, "dist", "main.js"), options);
}

/** The same for any script that Node runs. */
export async function startScript(script: string, options: AppOptions): Promise<AppProcess> {
  const { app, env, args = [], cwd = REPOSITORY, logFile, readyLimitMs = READY_LIMIT_MS, healthUrl } = options;
  const { PATH = "", HOME = "", NODE_OPTIONS = "" } = process.env;
  const child = new Child(process.execPath, [script, ...args], {
    cwd,
    env: { PATH, HOME, NODE_OPTIONS, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    logFile,
  });
  let said: string | undefined;
  child.process.on("message", (message) => {
    const { kind, url } = (message ?? {}) as { kind?: unknown; url?: unknown };
    if (kind === "ready") said = typeof url === "string" ? url : "";
  });
  const ready = async () => {
    if (child.hasExited) return "ended";
    if (healthUrl === undefined) return said !== undefined && { url: said };
    return (await fetch(healthUrl)).ok && { url: new URL(healthUrl).origin };
  };
  try {
    const found = await waitFor(ready, { limitMs: readyLimitMs, what: `${app} ready` });
    child.assertAlive(app);
    const { url } = found as { url: string };
    return {
      app,
      pid: child.pid,
      url,
      exited: child.exited,
      log: () => child.log,
      stop: () => child.stop(STOP_LIMIT_MS),
      kill: () => child.kill(),
    };
  } catch (error) {
    await child.kill();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}\n--- log of ${app}:\n${child.log.slice(-4_000)}`, { cause: error });
  }
}
