import type { DynamicModule } from "@nestjs/common";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { CommonSettings } from "./common-settings.ts";
import type { Health } from "./health.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { SettingsDefinition } from "./settings.ts";
import type { Tracer } from "./tracer.ts";

/**
 * Something that runs as long as the process: started when the server listens. `run` resolves after it has drained,
 * which begins when the signal aborts. A throw is logged and ends the process with exit code 1; whoever supervises it
 * brings it back.
 */
export interface Stage {
  run(signal: AbortSignal): Promise<void>;
}

/** What the set-up of a service gets. */
export interface ServiceContext<S> {
  readonly settings: S & CommonSettings;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Makes spans where OTEL_EXPORTER_OTLP_ENDPOINT names a collector. */
  readonly tracer: Tracer;
  /** Aborts when the service begins to end. */
  readonly signal: AbortSignal;
  readonly version: string;
}

/** What the set-up of a service gives back. */
export interface ServiceParts {
  /** Nest modules with the controllers of this service. */
  readonly modules?: readonly DynamicModule[];
  readonly stages?: readonly Stage[];
  /** Content-type parsers and hooks on the Fastify instance, before any route is registered. */
  configureHttp?(fastify: FastifyInstance): void;
  /** How every failed request is answered and logged, for protocols with an error body of their own; else problem+json. */
  answerError?(reply: FastifyReply, error: unknown): void;
  /** Called last, when the server is closed and every stage has drained. Closes connections and files. */
  onClose?(): Promise<void>;
}

export interface ServiceDefinition<S> {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Used when FIRN_PORT is not set. */
  readonly port: number;
  readonly settings: SettingsDefinition<S>;
  setup(context: ServiceContext<S>): Promise<ServiceParts>;
}
