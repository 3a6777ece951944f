import type { DestinationStream } from "pino";
import { commonSettings, type CommonSettings } from "./common-settings.ts";
import { createHealth, type Health } from "./health.ts";
import { createHttpServer, type HttpServerOptions } from "./http-server.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import type { ServiceDefinition, ServiceParts, Stage } from "./service.ts";
import { ConfigError, type Environment, type SettingsDefinition } from "./settings.ts";
import { noTracer } from "./tracer.ts";
import { startTracing } from "./tracing.ts";
import { version } from "./version.ts";

/** A service that listens and whose stages run. */
export interface RunningService {
  readonly url: string;
  readonly health: Health;
  /** Readiness off, stages drained, server and connections closed. Safe to call again. */
  close(): Promise<void>;
  /** Rejects when a stage has failed; resolves after `close`. */
  readonly ended: Promise<void>;
}

/**
 * Starts a service inside this process, without touching the process itself: tests use it as it is, `runService` adds
 * arguments, signals and exit codes. Throws a ConfigError when the environment does not fit.
 *
 * @param options.signal ends the service when it aborts, also during its set-up
 * @param options.logTo where log lines go instead of standard output
 */
export async function startService<S>(
  definition: ServiceDefinition<S>,
  env: Environment,
  options: { signal?: AbortSignal; logTo?: DestinationStream } = {},
): Promise<RunningService> {
  const settings = parseAll(definition, env);
  const log = createLogger({
    service: definition.name,
    level: settings.logLevel,
    ...(options.logTo && { destination: options.logTo }),
  });
  const ending = new AbortController();
  options.signal?.addEventListener("abort", () => ending.abort(), { once: true });
  if (options.signal?.aborted) ending.abort();
  const metrics = createMetrics({ service: definition.name, version });
  const health = createHealth();
  const { otlpEndpoint: endpoint } = settings;
  const tracing =
    endpoint === undefined ? undefined : await startTracing({ endpoint, service: definition.name, version });
  const tracer = tracing?.tracer ?? noTracer;
  const parts = await definition.setup({ settings, log, metrics, health, tracer, signal: ending.signal, version });
  const server = await listen({ parts, log, metrics, health, tracing }, settings);
  const url = urlOf(settings.host, server.getHttpServer().address());
  log.info("service listens", { url, version });
  const stages = runStages(parts.stages ?? [], ending.signal);
  const closing = lazily(async () => {
    health.drain();
    ending.abort();
    await withinLimit("drain", settings.drainMs, log, Promise.allSettled([server.close(), stages]));
    await withinLimit("close", settings.drainMs, log, Promise.all([closeParts(parts, log), tracing?.end()]));
    log.info("service ended");
  });
  ending.signal.addEventListener("abort", () => void closing.run());
  if (ending.signal.aborted) void closing.run();
  const ended = stages.then(
    () => closing.promise,
    async (error: unknown) => {
      if (ending.signal.aborted) await closing.promise;
      throw error;
    },
  );
  ended.catch(() => {});
  return { url, health, close: closing.run, ended };
}

async function listen(options: HttpServerOptions, settings: CommonSettings) {
  try {
    const server = await createHttpServer(options);
    await server.listen(settings.port, settings.host);
    return server;
  } catch (error) {
    await closeParts(options.parts, options.log);
    throw error;
  }
}

/** Names every wrong variable at once, the service's own and the common ones. */
function parseAll<S>(definition: ServiceDefinition<S>, env: Environment) {
  const own = attempt(definition.settings, env);
  const common = attempt(commonSettings(definition.port), env);
  if (own.values !== undefined && common.values !== undefined) return { ...own.values, ...common.values };
  throw new ConfigError([...own.problems, ...common.problems]);
}

function attempt<S>(definition: SettingsDefinition<S>, env: Environment) {
  try {
    return { values: definition.parse(env), problems: [] };
  } catch (error) {
    if (error instanceof ConfigError) return { values: undefined, problems: error.problems };
    throw error;
  }
}

/** Resolves when every stage has drained; rejects with the first failure. A stage that ends early has failed. */
async function runStages(stages: readonly Stage[], signal: AbortSignal): Promise<void> {
  const untilEnd = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.all([
    untilEnd,
    ...stages.map(async (stage) => {
      await stage.run(signal);
      if (!signal.aborted) throw new Error("a stage ended although nothing asked it to");
    }),
  ]);
}

async function closeParts(parts: ServiceParts, log: Logger): Promise<void> {
  try {
    await parts.onClose?.();
  } catch (error) {
    log.warn("closing failed", { error });
  }
}

async function withinLimit(what: string, limitMs: number, log: Logger, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      log.warn("service ends with work unfinished", { step: what, limit_ms: limitMs });
      resolve();
    }, limitMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

/** Runs the work once, at the first call; `promise` settles with it. */
function lazily(work: () => Promise<void>): { run(): Promise<void>; readonly promise: Promise<void> } {
  let settle: (value: Promise<void>) => void = () => {};
  const promise = new Promise<void>((resolve) => (settle = resolve));
  let started = false;
  return {
    promise,
    run() {
      if (started) return promise;
      started = true;
      settle(work());
      return promise;
    },
  };
}

function urlOf(host: string, address: string | { port: number } | null): string {
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const reachable = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
