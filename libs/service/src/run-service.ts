import { setTimeout as sleep } from "node:timers/promises";
import { formatHelp } from "./help.ts";
import { createLogger } from "./logger.ts";
import type { ServiceDefinition } from "./service.ts";
import { ConfigError } from "./settings.ts";
import { startService, type RunningService } from "./start-service.ts";
import { version } from "./version.ts";

const READY_POLL_MS = 25;

/** Exit codes of a service process. */
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/**
 * The main function of a service's process: `--help`, `--version`, the environment, signals, exit codes. With `--setup`
 * it ends as soon as it is ready: the streams and tables that were missing are there then.
 *
 * SIGTERM, SIGINT and the end of the parent (its IPC channel closes) drain and exit 0. An error that nobody caught, or
 * a stage that failed, is logged and exits 1. A wrong environment exits 2. With an IPC channel the parent gets
 * `{ kind: "ready", url }` once all checks pass.
 */
export async function runService<S>(definition: ServiceDefinition<S>): Promise<void> {
  const shortcut = answerArguments(definition, process.argv.slice(2));
  if (shortcut !== undefined) return void (process.exitCode = shortcut);
  const fallbackLog = createLogger({ service: definition.name, level: "error" });
  const fail = (message: string, error: unknown): never => {
    fallbackLog.error(message, { error });
    process.exit(EXIT.failed);
  };
  process.on("uncaughtException", (error) => fail("uncaught error", error));
  process.on("unhandledRejection", (error) => fail("uncaught rejection", error));
  const ending = endOfProcess();
  const isSetup = process.argv[2] === "--setup";
  try {
    const service = await startService(definition, process.env, { signal: ending.signal });
    if (isSetup) void whenReady(service, ending.signal).then(() => ending.abort());
    else if (process.send) void whenReady(service, ending.signal).then(() => announceReady(service.url, ending.signal));
    await service.ended;
    process.exit(EXIT.done);
  } catch (error) {
    if (ending.signal.aborted) process.exit(EXIT.done);
    if (!(error instanceof ConfigError)) return fail("service failed", error);
    const { name } = definition;
    for (const problem of error.problems) process.stderr.write(`${name}: ${problem.env} ${problem.rule}\n`);
    process.stderr.write(`${name}: --help says what each variable is for\n`);
    process.exit(EXIT.usage);
  }
}

function answerArguments<S>(definition: ServiceDefinition<S>, args: readonly string[]): number | undefined {
  const [first] = args;
  if (first === undefined || (first === "--setup" && args.length === 1)) return undefined;
  if (first === "--help" || first === "-h") {
    process.stdout.write(formatHelp(definition));
    return EXIT.done;
  }
  if (first === "--version") {
    process.stdout.write(`${version}\n`);
    return EXIT.done;
  }
  process.stderr.write(`${definition.name}: unknown argument ${first}; see --help\n`);
  return EXIT.usage;
}

/** Aborts when a signal arrives or the parent has gone. Nest's own shutdown hooks would raise the signal again. */
function endOfProcess(): AbortController {
  const ending = new AbortController();
  const end = () => ending.abort();
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  if (process.channel) process.on("disconnect", end);
  return ending;
}

/** Resolves when all checks pass, or when the process ends. */
async function whenReady(service: RunningService, ending: AbortSignal): Promise<void> {
  while (!ending.aborted && !(await service.health.report()).ready) await sleep(READY_POLL_MS);
}

function announceReady(url: string, ending: AbortSignal): void {
  if (!ending.aborted && process.connected) process.send?.({ kind: "ready", url });
}
