import { defineSettings } from "./settings.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** What every service reads, whatever it does. */
export interface CommonSettings {
  readonly port: number;
  readonly host: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly dataDir: string;
  readonly drainMs: number;
  readonly otlpEndpoint: string | undefined;
}

/** @param port the port that this service listens on when FIRN_PORT is not set */
export function commonSettings(port: number) {
  return defineSettings({
    port: {
      env: "FIRN_PORT",
      type: "int",
      default: port,
      min: 0,
      max: 65_535,
      help: "Port of the HTTP server; 0 takes a free one.",
    },
    host: { env: "FIRN_HOST", type: "string", default: "127.0.0.1", help: "Address that the HTTP server binds." },
    logLevel: {
      env: "FIRN_LOG_LEVEL",
      type: "string",
      default: "info",
      choices: LOG_LEVELS,
      help: "Least severe log lines that are written: debug, info, warn, error or silent.",
    },
    dataDir: {
      env: "FIRN_DATA_DIR",
      type: "path",
      default: ".firn",
      help: "Folder for local state, which can be rebuilt from the tables and the streams.",
    },
    drainMs: {
      env: "FIRN_DRAIN_MS",
      type: "int",
      default: 15_000,
      min: 0,
      max: 600_000,
      help: "Milliseconds that work in flight has to finish at the end.",
    },
    otlpEndpoint: {
      env: "OTEL_EXPORTER_OTLP_ENDPOINT",
      type: "url",
      help: "OpenTelemetry collector (OTLP over HTTP) that spans of requests are sent to; none are made without it.",
    },
  });
}
