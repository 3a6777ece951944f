import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

interface MetricOptions<L extends string> {
  /** Without the prefix `firn_`, with the unit last: `ingest_bytes_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** One Prometheus registry a process. Every name gets the prefix `firn_`. */
export interface Metrics {
  readonly registry: Registry;
  counter<L extends string = never>(options: MetricOptions<L>): Counter<L>;
  /** `collect` is called at every scrape and sets the value. */
  gauge<L extends string = never>(
    options: MetricOptions<L> & { readonly collect?: (gauge: Gauge<L>) => void | Promise<void> },
  ): Gauge<L>;
  histogram<L extends string = never>(
    options: MetricOptions<L> & { readonly buckets?: readonly number[] },
  ): Histogram<L>;
}

/** Upper bounds in seconds that fit requests and broker round trips. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Without `service`, an empty registry for tests; with it, process metrics and `firn_build_info` are in it. */
export function createMetrics(build?: { service: string; version: string }): Metrics {
  const registry = new Registry();
  const shared = <L extends string>({ name, help, labels }: MetricOptions<L>) => ({
    name: `firn_${name}`,
    help,
    labelNames: labels ?? [],
    registers: [registry],
  });
  const metrics: Metrics = {
    registry,
    counter: (options) => new Counter(shared(options)),
    gauge: (options) => {
      const { collect } = options;
      const gauge: Gauge<never> = new Gauge({
        ...shared(options),
        ...(collect && { collect: () => collect(gauge as never) }),
      }) as Gauge<never>;
      return gauge as never;
    },
    histogram: (options) => new Histogram({ ...shared(options), buckets: [...(options.buckets ?? LATENCY_BUCKETS)] }),
  };
  if (build) {
    collectDefaultMetrics({ register: registry });
    metrics
      .gauge({
        name: "build_info",
        help: "Service and version that runs, the version of Node, and that of the time-zone database in it.",
        labels: ["service", "version", "node", "time_zones"],
      })
      .set({ ...build, node: process.versions.node, time_zones: process.versions.tz ?? "none" }, 1);
  }
  return metrics;
}
