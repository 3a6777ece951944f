import type { Metrics } from "@firn/service";
import type { RoundReport } from "./rebuild.ts";

export interface RoundMetrics {
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
  return {
    rounded(dataset, report) {
      rounds.inc({ dataset });
      windows.inc({ dataset }, report.windows);
      seconds.observe({ dataset }, report.durationMs / 1000);
    },
  };
}
