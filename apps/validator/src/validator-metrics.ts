import type { ValidatedRun } from "@firn/core";
import type { Metrics } from "@firn/service";

export interface ValidatorMetrics {
  /** A run is appended. @param seconds from its first record at hand to the append's end */
  appended(dataset: string, run: ValidatedRun, seconds: number): void;
  retried(kind: string): void;
}

/** What waits to be validated. */
export interface ShardLag {
  readonly dataset: string;
  readonly shard: number;
  readonly messages: number;
  /** How long the oldest of them waits. */
  readonly seconds: number;
}

/** From now on what waits is asked for at each scrape. */
export function watchLag(metrics: Metrics, source: { lag(): Promise<readonly ShardLag[]> }): void {
  const labels = ["dataset", "shard"] as const;
  const seconds = metrics.gauge({
    name: "validator_lag_seconds",
    help: "How long the oldest intake message waits to be validated, by dataset and shard.",
    labels,
  });
  metrics.gauge({
    name: "validator_lag_messages",
    help: "Intake messages that wait to be validated, by dataset and shard.",
    labels,
    collect: async (gauge) => {
      const lags = await source.lag().catch(() => []);
      // What has gone to another validator is not told here any more.
      gauge.reset();
      seconds.reset();
      for (const lag of lags) {
        const { dataset, shard } = lag;
        gauge.set({ dataset, shard }, lag.messages);
        seconds.set({ dataset, shard }, lag.seconds);
      }
    },
  });
}

export function createValidatorMetrics(metrics: Metrics): ValidatorMetrics {
  const labels = ["dataset"] as const;
  const received = metrics.counter({ name: "validator_received_total", help: "Records received, by dataset.", labels });
  const accepted = metrics.counter({ name: "validator_accepted_total", help: "Records accepted, by dataset.", labels });
  const rejected = metrics.counter({
    name: "validator_rejected_total",
    help: "Records refused, by dataset and error type.",
    labels: ["dataset", "error_type"],
  });
  const warnings = metrics.counter({
    name: "validator_warnings_total",
    help: "Odd values that were stored, by dataset and code.",
    labels: ["dataset", "code"],
  });
  const seconds = metrics.histogram({
    name: "validator_run_seconds",
    help: "Time from a run's first record at hand to its append, by dataset.",
    labels,
  });
  const retries = metrics.counter({
    name: "validator_append_retries_total",
    help: "Appends tried again, by what went wrong.",
    labels: ["kind"],
  });
  return {
    appended(dataset, run, runSeconds) {
      received.inc({ dataset }, run.received);
      accepted.inc({ dataset }, run.rows.rows);
      for (const letter of run.rejected) rejected.inc({ dataset, error_type: letter.error_type });
      for (const [code, count] of run.warnings) warnings.inc({ dataset, code }, count);
      seconds.observe({ dataset }, runSeconds);
    },
    retried: (kind) => retries.inc({ kind }),
  };
}
