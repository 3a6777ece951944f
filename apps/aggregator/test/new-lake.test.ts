import { tablesOf } from "@firn/core";
import { createHealthDataset } from "@firn/datasets";
import {
  createTableRequest,
  definedIdentifier,
  lakeEnvironment,
  MemoryCatalog,
  memoryStore,
  openKernel,
} from "@firn/lake";
import { silentLogger, type Logger } from "@firn/service";
import { MemoryLogs, rollupLog } from "@firn/stream";
import { tempFolder, waitFor } from "@firn/testing";
import { expect, test, vi } from "vitest";

import { AggregatorStage } from "./aggregator-stage.ts";

const dataset = createHealthDataset();

test("tables that the writer has not made yet are waited for, and said once", async () => {
  const folder = await tempFolder("aggregator");
  const kernel = await openKernel({ memoryLimitMb: 64, threads: 1, tempDir: folder.path });
  const catalog = new MemoryCatalog();
  const streams = new MemoryLogs();
  const said: string[] = [];
  const logger: Logger = {
    ...silentLogger(),
    info: (message) => void said.push(`info ${message}`),
    warn: (message) => void said.push(`warn ${message}`),
  };
  const stage = await AggregatorStage.open({
    env: lakeEnvironment({ catalog, store: memoryStore() }),
    kernel,
    dataset,
    log: await streams.openLog(rollupLog({ replicas: 1 })),
    streams,
    defaultZone: "UTC",
    folder: folder.path,
    logger,
    backlog: () => Promise.resolve(0),
    rounded: () => {},
  });
  const ending = new AbortController();
  const running = stage.run(ending.signal);
  const looks = vi.spyOn(catalog, "loadTable").mock.calls;
  const looked = (times: number) => waitFor(() => looks.length >= times, { limitMs: 10_000, what: `${times} looks` });
  try {
    await looked(3);
    await catalog.createNamespace(definedIdentifier(dataset.raw).namespace);
    for (const definition of tablesOf(dataset))
      await catalog.createTable(definedIdentifier(definition), createTableRequest(definition));
    await looked(looks.length + 2 * tablesOf(dataset).length);
    expect(said).toEqual(["info waiting until the tables are made"]);
  } finally {
    ending.abort();
    await running;
    kernel.close();
    await folder.remove();
  }
});
