import { JOBS, type JobName, type JobReport } from "@firn/feeds";
import type { Logger, Metrics, Stage } from "@firn/service";
import { Cron } from "croner";
import { once } from "node:events";

import type { MarketSettings } from "./config.ts";
import type { Finding } from "./quality.ts";

/** What the clock starts. */
export interface ScheduledWork {
  runJob(job: JobName, signal: AbortSignal): Promise<JobReport>;
  checkQuality(): Promise<readonly Finding[]>;
}

/**
 * Starts jobs by the clock, in UTC, one at a time; one whose time comes while it is still at work is left out. A job
 * that fails is logged and counted, and its next time comes all the same.
 */
export class Schedule implements Stage {
  readonly #settings: MarketSettings;
  readonly #work: ScheduledWork;
  readonly #logger: Logger;
  readonly #runs;
  readonly #failures;
  readonly #lastSuccess;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: {
    readonly settings: MarketSettings;
    readonly work: ScheduledWork;
    readonly logger: Logger;
    readonly metrics: Metrics;
  }) {
    this.#settings = options.settings;
    this.#work = options.work;
    this.#logger = options.logger;
    const labels = ["job"] as const;
    this.#runs = options.metrics.counter({
      name: "market_job_runs_total",
      help: "Scheduled jobs that ended, by job and outcome.",
      labels: ["job", "outcome"] as const,
    });
    this.#failures = options.metrics.counter({
      name: "market_job_failed_subjects_total",
      help: "Tickers and series that a job could not fetch, by job.",
      labels,
    });
    this.#lastSuccess = options.metrics.gauge({
      name: "market_job_last_success_seconds",
      help: "When a job last ended without a failure, seconds since the epoch, by job.",
      labels,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { krSchedule, macroSchedule, qualitySchedule, schedule, usSchedule } = this.#settings;
    const times: Record<JobName, string> = { "us-price": usSchedule, "kr-price": krSchedule, macro: macroSchedule };
    const start = (pattern: string, work: () => Promise<void>) =>
      new Cron(pattern, { timezone: "UTC", protect: true }, () => (this.#tail = this.#tail.then(work)));
    const clocks = [
      ...(schedule === "on" ? JOBS.map((job) => start(times[job], () => this.#job(job, signal))) : []),
      start(qualitySchedule, () => this.#quality()),
    ];
    if (!signal.aborted) await once(signal, "abort");
    for (const clock of clocks) clock.stop();
    await this.#tail;
  }

  async #job(job: JobName, signal: AbortSignal): Promise<void> {
    try {
      const report = await this.#work.runJob(job, signal);
      this.#failures.inc({ job }, report.failed.length);
      this.#runs.inc({ job, outcome: report.failed.length > 0 ? "partial" : "done" });
      if (report.failed.length === 0) this.#lastSuccess.set({ job }, Date.now() / 1000);
      this.#logger.info("job ended", { ...report, failed: report.failed.length });
      for (const { reason, subject } of report.failed) this.#logger.warn("not fetched", { job, subject, reason });
    } catch (error) {
      if (signal.aborted) return;
      this.#runs.inc({ job, outcome: "failed" });
      this.#logger.error("job failed", { job, error });
    }
  }

  async #quality(): Promise<void> {
    try {
      await this.#work.checkQuality();
    } catch (error) {
      this.#logger.error("quality could not be checked", { error });
    }
  }
}
