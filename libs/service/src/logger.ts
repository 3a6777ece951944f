import type { LoggerService } from "@nestjs/common";
import { destination, pino, type DestinationStream, type Logger as Pino } from "pino";

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured log lines: a short lower case message that never varies, and fields for what does. No data values, no
 * secrets. `error` means that a person must act. An error goes in the field `error`.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

/** One JSON object a line: `level`, `time` (ISO), `service`, `pid`, `message` and the fields. Written synchronously. */
export function createLogger(options: { service: string; level: string; destination?: DestinationStream }): Logger {
  return wrap(
    pino(
      {
        level: options.level,
        base: { service: options.service, pid: process.pid },
        messageKey: "message",
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
        formatters: { level: (level) => ({ level }) },
        serializers: { error: serializeError },
      },
      options.destination ?? standardOutput(),
    ),
  );
}

/** Writes nothing: for tests and benches. */
export function silentLogger(): Logger {
  return wrap(pino({ level: "silent" }));
}

/** Nest's own lines go through the service's logger; its start-up chatter is `debug`. */
export function nestLogger(logger: Logger): LoggerService {
  const fields = (rest: readonly unknown[]): LogFields => ({
    nest: rest.filter((part) => typeof part === "string").at(-1),
  });
  return {
    log: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    debug: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    verbose: (message: unknown, ...rest: unknown[]) => logger.debug(String(message), fields(rest)),
    warn: (message: unknown, ...rest: unknown[]) => logger.warn(String(message), fields(rest)),
    error: (message: unknown, ...rest: unknown[]) => logger.error(String(message), fields(rest)),
    fatal: (message: unknown, ...rest: unknown[]) => logger.error(String(message), fields(rest)),
  };
}

function wrap(logger: Pino): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** A parent that reads our output may be gone before us: its closed pipe must not end the drain. */
function standardOutput(): DestinationStream {
  const stream = destination({ dest: 1, sync: true });
  stream.on("error", () => {});
  return stream;
}

/** Errors of ours carry `kind` and `context`, those of Node `code`; all are fields worth having. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { kind, code, context } = error as { kind?: unknown; code?: unknown; context?: unknown };
  return { name, message, kind, code, context, stack, ...(cause !== undefined && { cause: reasonOf(cause) }) };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
