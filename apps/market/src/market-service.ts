import { ingestClient } from "@firn/client";
import { createDatasets } from "@firn/datasets";
import { MarketSender, runJob } from "@firn/feeds";
import { openKernel, openLake } from "@firn/lake";
import { migrateDatabase, RelationalDatabase } from "@firn/relational";
import { lakeOptionsOf, untilPossible, type ServiceContext, type ServiceDefinition, type Stage } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type MarketSettings, marketSettings } from "./config.ts";
import { Mirror } from "./mirror.ts";
import { checkQuality, type Finding, qualityRows } from "./quality.ts";
import { Schedule } from "./schedule.ts";

const MS_PER_DAY = 86_400_000;

export const marketService: ServiceDefinition<MarketSettings> = {
  name: "market",
  summary: "fetches prices and macro series by the clock, mirrors relations, checks the data's quality",
  port: 4304,
  settings: marketSettings,
  async setup(context) {
    const { log, metrics, settings } = context;
    const database = new RelationalDatabase({ databaseUrl: settings.databaseUrl, name: "firn-market" });
    const dataset = createDatasets(settings).get("market")!;
    const senderOf = (source: string) => {
      const client = ingestClient(settings.ingestUrl, {
        gzipFromBytes: 64 * 1024,
        retry: { attemptsMax: 10 },
        token: settings.token,
      });
      return new MarketSender(client, source);
    };
    await untilPossible(AbortSignal.timeout(60_000), log, () => migrateDatabase({ databaseUrl: settings.databaseUrl }));
    const quality = qualityOf(context, senderOf("quality"));
    const schedule = new Schedule({
      settings,
      logger: log,
      metrics,
      work: {
        runJob: (job, signal) =>
          runJob(job, { from: undefined, to: Math.floor(Date.now() / MS_PER_DAY) }, settings, { database, signal }),
        checkQuality: quality,
      },
    });
    const mirror = new Mirror({ database, sender: senderOf("mirror"), dataset, logger: log });
    return {
      stages: [mirror, schedule, new QualityReplies(context, quality)],
      onClose: () => database.close(),
    };
  },
};

/** Checks, stores what was found, and tells it by metric and log. */
function qualityOf(context: ServiceContext<MarketSettings>, sender: MarketSender) {
  const { log, metrics, settings } = context;
  const failing = metrics.gauge({
    name: "market_quality_findings",
    help: "Rows or days that break a rule of data quality at the last check, by table and rule.",
    labels: ["table", "rule"] as const,
  });
  const lake = lakeOptionsOf("market", context);
  return async (): Promise<readonly Finding[]> => {
    const today = Math.floor(Date.now() / MS_PER_DAY);
    const folder = join(settings.dataDir, "market");
    mkdirSync(folder, { recursive: true });
    const env = await openLake(lake);
    const kernel = await openKernel({
      memoryLimitMb: Math.round(settings.memoryBytes / 1024 ** 2),
      threads: 1,
      tempDir: join(folder, "spill"),
    });
    try {
      const connection = await kernel.connect();
      const dataset = createDatasets(settings).get("market")!;
      const findings = await checkQuality({ env, connection, dataset }, today);
      await sender.send("tb_quality", qualityRows(findings, today));
      for (const { detail, findings: count, passed, rule, subject, table } of findings) {
        if (subject !== "all") continue;
        failing.set({ table, rule }, count);
        if (!passed) log.warn("data quality", { table, rule, findings: count, detail });
      }
      return findings;
    } finally {
      kernel.close();
    }
  };
}

/** Answers `market.quality`, which `firn quality` asks. */
class QualityReplies implements Stage {
  readonly #context: ServiceContext<MarketSettings>;
  readonly #check: () => Promise<readonly Finding[]>;

  constructor(context: ServiceContext<MarketSettings>, check: () => Promise<readonly Finding[]>) {
    this.#context = context;
    this.#check = check;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, settings } = this.#context;
    const connection = await untilPossible(signal, log, () =>
      connectStreams({ url: settings.natsUrl, name: "market", replicas: settings.streamReplicas, signal }),
    );
    if (connection === undefined) return;
    const end = connection.reply("market.quality", { queue: "market" }, async () =>
      Buffer.from(JSON.stringify(await this.#check())),
    );
    if (!signal.aborted) await once(signal, "abort");
    end();
    await connection.close();
  }
}
