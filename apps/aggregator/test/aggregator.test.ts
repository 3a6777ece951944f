import { createHealthDataset } from "@firn/datasets";
import { lakeEnvironment, MemoryCatalog, memoryStore } from "@firn/lake";
import { startService } from "@firn/service";
import { MemoryLogs } from "@firn/stream";
import { tempFolder, waitFor } from "@firn/testing";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { aggregatorService } from "../src/aggregator-service.ts";
import { createAggregator } from "../src/aggregator.ts";

test("a dataset without a rollup of days is left alone", async () => {
  const folder = await tempFolder("aggregator");
  const logs = new MemoryLogs();
  const environment = {
    NATS_URL: "nats://unused",
    ICEBERG_CATALOG_URI: "http://unused",
    FIRN_PORT: "0",
    FIRN_DATA_DIR: folder.path,
  };
  const setup: typeof aggregatorService.setup = async (context) => {
    const aggregator = createAggregator({
      context,
      datasets: [{ ...createHealthDataset(), rollups: [] }],
      connectStreams: () => Promise.resolve(logs),
      openLake: () => Promise.resolve(lakeEnvironment({ catalog: new MemoryCatalog(), store: memoryStore() })),
    });
    context.health.addCheck("aggregator", () => aggregator.whyNotReady());
    return { stages: [aggregator] };
  };
  const logTo = new Writable({ write: (_, __, done) => done() });
  const service = await startService({ ...aggregatorService, setup }, environment, { logTo });
  try {
    await waitFor(async () => (await service.health.report()).ready, { limitMs: 10_000, what: "the aggregator" });
    const request = Buffer.from(JSON.stringify({ dataset: "health" }));
    const rebuild = logs.request("aggregator.rebuild", request, { timeoutMs: 1_000 });
    await expect(rebuild).rejects.toThrow("no dataset health with rollups");
  } finally {
    await service.close();
    await folder.remove();
  }
});
