import "reflect-metadata";
import type { Socket } from "node:net";
import { Module, type DynamicModule } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify";
import type { FastifyInstance, FastifyReply } from "fastify";
import { HealthController } from "./health-controller.ts";
import type { Health } from "./health.ts";
import { nestLogger, type Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { ProblemFilter, sendProblem } from "./problem-filter.ts";
import { Problem, PROBLEM_MEDIA_TYPE } from "./problem.ts";
import type { ServiceParts } from "./service.ts";
import { HEALTH, LOGGER, METRICS } from "./tokens.ts";
import type { Tracing } from "./tracing.ts";

const BODY_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_MS_MAX = 120_000;
const PATH_PARAMETER_CHARS_MAX = 2_048;

@Module({})
class ServiceModule {}

export interface HttpServerOptions {
  readonly parts: ServiceParts;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  /** Absent where no spans are sent. */
  readonly tracing?: Tracing | undefined;
}

/** A Nest application on Fastify with health, metrics and problem+json errors, not yet listening. */
export async function createHttpServer(options: HttpServerOptions): Promise<NestFastifyApplication> {
  const { parts, log } = options;
  const answerError = (reply: FastifyReply, error: unknown): void =>
    parts.answerError ? parts.answerError(reply, error) : sendProblem(reply, error, log);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS_MAX,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARS_MAX },
    // Fastify's own errors never reach a Nest filter.
    frameworkErrors: (error: unknown, _request: unknown, reply: FastifyReply) => answerError(reply, error),
    clientErrorHandler: refuseBrokenRequest,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  parseJsonBodies(fastify);
  observeRequests(fastify, options.metrics);
  options.tracing?.observe(fastify);
  refuseWhileDraining(fastify, options.health);
  parts.configureHttp?.(fastify);
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(options), adapter, {
    logger: nestLogger(log),
    bodyParser: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new ProblemFilter(answerError));
  return app;
}

function rootModule({ parts, log, metrics, health }: HttpServerOptions): DynamicModule {
  const tokens = [
    { provide: LOGGER, useValue: log },
    { provide: METRICS, useValue: metrics },
    { provide: HEALTH, useValue: health },
  ];
  return {
    module: ServiceModule,
    global: true,
    imports: [...(parts.modules ?? [])],
    controllers: [HealthController],
    providers: tokens,
    exports: tokens.map((token) => token.provide),
  };
}

/** The default for JSON bodies; a service replaces it in `configureHttp` with `removeContentTypeParser`. */
function parseJsonBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(body as string));
    } catch (error) {
      done(new Problem(400, "broken_json", "The body is not JSON.", { cause: error }));
    }
  });
}

function observeRequests(fastify: FastifyInstance, metrics: Metrics): void {
  const seconds = metrics.histogram({
    name: "http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer.",
    labels: ["method", "route", "status"],
  });
  fastify.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unknown";
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    done();
  });
}

/** Requests that still arrive on open connections while the service ends: the client comes back to another process. */
function refuseWhileDraining(fastify: FastifyInstance, health: Health): void {
  fastify.addHook("onRequest", (request, _reply, done) => {
    if (!health.draining || request.url.startsWith("/health/")) return done();
    done(new Problem(503, "ending", "The service is ending; try again.", { headers: { "retry-after": "1" } }));
  });
  fastify.addHook("onSend", (_request, reply, payload, done) => {
    if (health.draining) reply.header("connection", "close");
    done(null, payload);
  });
}

/** Bytes that are not HTTP never become a request: answer on the socket. */
function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const problem =
    error.code === "HPE_HEADER_OVERFLOW"
      ? new Problem(431, "headers_too_large", "The headers are too large.")
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? new Problem(408, "request_timeout", "The request did not arrive in time.")
        : new Problem(400, "broken_http", "The request is not HTTP/1.1.");
  const { title, status } = problem.body();
  const body = JSON.stringify(problem.body());
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\ncontent-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
