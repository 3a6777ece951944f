import type { AnswerStats, PipelineStatus } from "@firn/client";
import { recordTablesOf, type Dataset } from "@firn/core";
import type { Metrics } from "@firn/service";
import type { Freshness } from "./pipeline/freshness.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";

/** A scrape waits no longer than this for the broker and the catalog; what is not known then is left out. */
const LOOK_LIMIT_MS = 2_000;
/** Gauges of one scrape share a look. */
const LOOK_AGE_MAX_MS = 1_000;

/** What answers cost, by question: only names of questions are labels, never who asked or whom about. */
export function answerMetrics(metrics: Metrics): (question: string, stats: AnswerStats) => void {
  const labels = ["question"] as const;
  const answers = metrics.counter({
    name: "query_answers_total",
    help: "Questions answered over HTTP and NATS, by question and whether the answer came from the cache.",
    labels: ["question", "cached"],
  });
  const bytes = metrics.counter({
    name: "query_read_bytes_total",
    help: "Bytes of data files that questions read, by question.",
    labels,
  });
  const files = metrics.counter({
    name: "query_read_files_total",
    help: "Data files that questions read, by question.",
    labels,
  });
  const cost = metrics.counter({
    name: "query_cost_usd_total",
    help: "What the bytes read would cost at $5 per TB, by question; its increase over a day is the day's cost.",
    labels,
  });
  const seconds = metrics.histogram({
    name: "query_answer_seconds",
    help: "Time from a question's parameters to its rows, by question.",
    labels,
  });
  return (question, stats) => {
    answers.inc({ question, cached: String(stats.cached) });
    bytes.inc({ question }, stats.bytes_read);
    files.inc({ question }, stats.files_read);
    cost.inc({ question }, stats.cost_usd);
    seconds.observe({ question }, stats.elapsed_ms / 1000);
  };
}

export interface WatchedPipeline {
  readonly pipeline: Pipeline;
  readonly freshness: Freshness;
  readonly datasets: readonly Dataset[];
}

/** How far the pipeline is, looked at when somebody scrapes. */
export function pipelineMetrics(metrics: Metrics, watched: WatchedPipeline): void {
  const { pipeline } = watched;
  const look = sharedLook(() => pipeline.status(0, AbortSignal.timeout(LOOK_LIMIT_MS)));
  metrics.gauge({
    name: "pipeline_lag_messages",
    help: "Messages that wait, by stage: intake (what Kafka still holds among them), accepted, rejected, rollup.",
    labels: ["stage"],
    collect: async (gauge) => {
      gauge.reset();
      for (const [stage, messages] of Object.entries((await look())?.lag ?? {})) gauge.set({ stage }, messages);
    },
  });
  metrics.gauge({
    name: "pipeline_parked",
    help: "Parts of stages that stand still until their cause is gone or somebody decides: firn status names them.",
    labels: ["stage"],
    collect: async (gauge) => {
      gauge.reset();
      const status = await look();
      for (const { stage } of status?.parked ?? []) gauge.inc({ stage });
    },
  });
  metrics.gauge({
    name: "pipeline_records",
    help: "Exact counts of records since the lake was made, by dataset and outcome.",
    labels: ["dataset", "outcome"],
    collect: async (gauge) => {
      gauge.reset();
      for (const [dataset, counts] of Object.entries((await look())?.datasets ?? {})) {
        for (const [outcome, records] of Object.entries(counts)) gauge.set({ dataset, outcome }, records as number);
      }
    },
  });
  freshnessMetric(metrics, watched);
}

function freshnessMetric(metrics: Metrics, { freshness, datasets }: WatchedPipeline): void {
  const tables = datasets.flatMap((dataset) => [
    ...recordTablesOf(dataset).map(({ definition }) => definition),
    dataset.errors,
    ...dataset.rollups.map(({ table }) => table),
  ]);
  metrics.gauge({
    name: "table_complete_through_timestamp_seconds",
    help: "Up to when a table has everything that was acknowledged, seconds since the epoch: its freshness.",
    labels: ["table"],
    collect: async (gauge) => {
      const through = await Promise.all(
        tables.map(({ namespace, name }) => freshness.completeThrough(`${namespace}.${name}`)),
      );
      gauge.reset();
      for (const [at, { name }] of tables.entries()) {
        const instant = through[at];
        if (typeof instant === "string") gauge.set({ table: name }, Date.parse(instant) / 1000);
      }
    },
  });
}

/** A look that fails or is late is undefined: what is not known is not in the scrape. */
function sharedLook(take: () => Promise<PipelineStatus>): () => Promise<PipelineStatus | undefined> {
  let atMs = -Infinity;
  let look: Promise<PipelineStatus | undefined> = Promise.resolve(undefined);
  return () => {
    if (performance.now() - atMs < LOOK_AGE_MAX_MS) return look;
    atMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), LOOK_LIMIT_MS)));
    look = Promise.race([take().catch(() => undefined), late]).finally(() => clearTimeout(timer));
    return look;
  };
}
