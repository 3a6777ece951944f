import type { RoundReport } from "@firn/core";
import type { Metrics } from "@firn/service";

/** How long a lane's oldest change waits, in seconds. */
export interface LaneLag {
  readonly name: string;
  lagSeconds(nowMs: number): number;
}

export interface RoundMetrics {
  /** From now on a lane's lag is asked for at each scrape. Returns what ends it. */
  watchLag(dataset: string, lane: LaneLag): () => void;
  rounded(dataset: string, report: RoundReport): void;
}

export function createRoundMetrics(metrics: Metrics): RoundMetrics {
  const labels = ["dataset"] as const;
  const rounds = metrics.counter({
    name: "aggregator_rounds_total",
    help: "Rounds published, by dataset.",
    labels,
  });
  const windows = metrics.counter({
    name: "aggregator_windows_total",
    help: "Windows of days computed, by dataset.",
    labels,
  });
  const seconds = metrics.histogram({
    name: "aggregator_round_seconds",
    help: "Time to compute a round, by dataset.",
    labels,
  });
  const lags = new Map<LaneLag, string>();
  metrics.gauge({
    name: "aggregator_lag_seconds",
    help: "How long the oldest change of rows waits to be in the aggregates, by dataset and lane.",
    labels: ["dataset", "lane"],
    collect: (gauge) => {
      const nowMs = Date.now();
      gauge.reset();
      for (const [lane, dataset] of lags) gauge.set({ dataset, lane: lane.name }, lane.lagSeconds(nowMs));
    },
  });
  return {
    watchLag(dataset, lane) {
      lags.set(lane, dataset);
      return () => void lags.delete(lane);
    },
    rounded(dataset, report) {
      rounds.inc({ dataset });
      windows.inc({ dataset }, report.windows);
      seconds.observe({ dataset }, report.durationMs / 1000);
    },
  };
}
