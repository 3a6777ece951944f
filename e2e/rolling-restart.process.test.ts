/** The short form of `e2e/rolling-restart.mjs`: one process of each service restarted in turn under load. */
import { expect, it } from "vitest";
import { runFleetScript } from "./support/run-fleet-script.ts";

it("a rolling restart under load: no request is refused for good, nothing lost, nothing doubled, order kept", async () => {
  const report = await runFleetScript("rolling-restart.mjs", [
    "--samples",
    "12000",
    "--users",
    "40",
    "--rounds",
    "1",
    "--of-each",
    "1",
  ]);
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ restarts: 5, refusedForGood: 0, lost: 0, doubled: 0, outOfOrder: 0 });
}, 600_000);
