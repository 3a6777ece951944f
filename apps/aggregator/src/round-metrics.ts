import type { Metrics } from "@firn/service";
import type { RoundReport } from "./rebuild.ts";

export interface RoundMetrics {
  /** From now on a dataset's lag is asked for at each scrape. @param seconds by lane */
  watchLag(dataset: string, seconds: (nowMs: number) => ReadonlyMap<string, number>): void;
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
  const lags = new Map<string, (nowMs: number) => ReadonlyMap<string, number>>();
  metrics.gauge({
    name: "aggregator_lag_seconds",
    help: "How long the oldest change of rows waits to be in the aggregates, by dataset and lane.",
    labels: ["dataset", "lane"],
    collect: (gauge) => {
      const nowMs = Date.now();
      for (const [dataset, lag] of lags)
        for (const [lane, seconds] of lag(nowMs)) gauge.set({ dataset, lane }, seconds);
    },
  });
  return {
    watchLag: (dataset, seconds) => void lags.set(dataset, seconds),
    rounded(dataset, report) {
      rounds.inc({ dataset });
      windows.inc({ dataset }, report.windows);
      seconds.observe({ dataset }, report.durationMs / 1000);
    },
  };
}
