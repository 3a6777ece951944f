/** The short form of `e2e/replicas.mjs`: two processes of each service, one of each killed while samples are sent. */
import { expect, it } from "vitest";
import { runFleetScript } from "./support/run-fleet-script.ts";

it("one of two of each service killed under load: nothing lost, nothing doubled, order kept", async () => {
  const args = ["--samples", "12000", "--users", "40", "--kills", "5", "--lease-ms", "2000"];
  const report = await runFleetScript("replicas.mjs", args);
  expect(report.problems).toEqual([]);
  expect(Object.keys(report.killed ?? {})).toHaveLength(5);
  expect(report).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, accepted: { records: 12_000 } });
}, 600_000);
