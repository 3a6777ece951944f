import type { Context, Span, Tracer } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";

/** Spans of a service's HTTP requests, sent by OTLP over HTTP. */
export interface Tracing {
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
  const tracer = provider.getTracer("firn", version);
  const parentOf = (request: FastifyRequest): Context => api.propagation.extract(api.ROOT_CONTEXT, request.headers);
  return {
    observe: (fastify) => observeRequests(fastify, tracer, parentOf),
    // A collector that is away must not keep a service from ending well.
    end: () => provider.shutdown().catch(() => undefined),
  };
}

/** Names and numbers of a request alone: a path or a query string may hold ids of people. */
function observeRequests(
  fastify: FastifyInstance,
  tracer: Tracer,
  parentOf: (request: FastifyRequest) => Context,
): void {
  const spans = new WeakMap<FastifyRequest, Span>();
  fastify.addHook("onRequest", (request, _reply, done) => {
    const route = request.routeOptions.url ?? "unknown";
    if (!UNTRACED.test(route)) {
      const attributes = { "http.request.method": request.method, "http.route": route };
      spans.set(request, tracer.startSpan(`${request.method} ${route}`, { kind: 1, attributes }, parentOf(request)));
    }
    done();
  });
  fastify.addHook("onResponse", (request, reply, done) => {
    const span = spans.get(request);
    span?.setAttribute("http.response.status_code", reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: 2 });
    span?.end();
    done();
  });
}
