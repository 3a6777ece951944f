import type * as OpenTelemetry from "@opentelemetry/api";
import type { Context, Span, SpanContext } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LINKS_MAX, type SpanOptions, type Tracer, type TraceSpan } from "./tracer.ts";

/** Spans of a service, sent by OTLP over HTTP. */
export interface Tracing {
  readonly tracer: Tracer;
  /** A span for each request but probes and scrapes; one that comes with `traceparent` goes on with that trace. */
  observe(fastify: FastifyInstance): void;
  /** Sends what is left. */
  end(): Promise<void>;
}

export interface TracingOptions {
  /** OTEL_EXPORTER_OTLP_ENDPOINT: a collector's address, to which `/v1/traces` is added. */
  readonly endpoint: string;
  readonly service: string;
  readonly version: string;
}

const UNTRACED = /^\/(health\/|metrics$)/;

type Api = typeof OpenTelemetry;

/** The libraries are loaded here, so that a service without a collector has none of their cost. */
export async function startTracing({ endpoint, service, version }: TracingOptions): Promise<Tracing> {
  const [api, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  const provider = new sdk.NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": `firn-${service}`, "service.version": version }),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  // Also sets how `traceparent` is read (W3C Trace Context).
  provider.register();
  const requests = new WeakMap<object, Span>();
  const tracer = provider.getTracer("firn", version);
  const parentOf = (request: FastifyRequest): Context => api.propagation.extract(api.ROOT_CONTEXT, request.headers);
  return {
    tracer: {
      on: true,
      startSpan: (name, options) => startSpan(api, tracer, name, options),
      traceparentOf: (request) => {
        const span = requests.get(request);
        return span && traceparentOf(span);
      },
    },
    observe: (fastify) => observeRequests(fastify, tracer, parentOf, requests),
    // A collector that is away must not keep a service from ending well.
    end: () => provider.shutdown().catch(() => undefined),
  };
}

function startSpan(api: Api, tracer: OpenTelemetry.Tracer, name: string, options: SpanOptions): TraceSpan {
  const [first, ...others] = options.origins.slice(0, LINKS_MAX).flatMap((origin) => spanContextOf(origin) ?? []);
  const parent = first === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, first);
  const links = others.map((context) => ({ context }));
  const { attributes = {} } = options;
  const span = tracer.startSpan(name, { kind: api.SpanKind.CONSUMER, attributes: { ...attributes }, links }, parent);
  return {
    traceparent: traceparentOf(span),
    end(more = {}, error) {
      span.setAttributes({ ...more });
      if (error !== undefined) {
        // The message of an error may quote what it is about.
        span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
        span.setStatus({ code: api.SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

/** Undefined for a span that is not sampled: nothing that follows from it is sent. */
function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return (traceFlags & 1) === 1 ? `00-${traceId}-${spanId}-01` : undefined;
}

function spanContextOf(traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

/** Names and numbers of a request alone: a path or a query string may hold ids of people. */
function observeRequests(
  fastify: FastifyInstance,
  tracer: OpenTelemetry.Tracer,
  parentOf: (request: FastifyRequest) => Context,
  spans: WeakMap<object, Span>,
): void {
  fastify.addHook("onRequest", (request, _reply, done) => {
    const route = request.routeOptions.url ?? "unknown";
    if (!UNTRACED.test(route)) {
      const attributes = { "http.request.method": request.method, "http.route": route };
      spans.set(
        request.raw,
        tracer.startSpan(`${request.method} ${route}`, { kind: 1, attributes }, parentOf(request)),
      );
    }
    done();
  });
  fastify.addHook("onResponse", (request, reply, done) => {
    const span = spans.get(request.raw);
    span?.setAttribute("http.response.status_code", reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: 2 });
    span?.end();
    done();
  });
}
