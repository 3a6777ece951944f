import { afterAll, beforeAll, expect, it } from "vitest";
import { callCatalog } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

let server: RunningCatalog;
beforeAll(async () => {
  server = await startCatalog();
});
afterAll(() => server.close());

it("reports of engines are counted by their types, however many there may be", async () => {
  for (const type of ["scan-report", "commit-report", "scan-report", "made-up", 7]) {
    const path = "/v1/namespaces/ns/tables/t/metrics";
    expect((await callCatalog(server.url, "POST", path, { "report-type": type })).status).toBe(204);
  }
  const scrape = await (await fetch(`${server.url}/metrics`)).text();
  const counts = [...scrape.matchAll(/^firn_catalog_metrics_reports_total\{type="(.+)"\} (\d+)$/gm)];
  expect(Object.fromEntries(counts.map(([, type, count]) => [type, count]))).toEqual({
    "scan-report": "2",
    "commit-report": "1",
    other: "2",
  });
});
