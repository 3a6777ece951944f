import { expect, it } from "vitest";
import type { RebuildReport, RebuildValidation } from "@firn/core";
import { RebuildQueue } from "./rebuild-queue.ts";

const report: RebuildReport = { windows: 3, rows: 2, durationMs: 10 };
const right: RebuildValidation = { ok: true, rollups: [] };
const wrong: RebuildValidation = { ok: false, rollups: [] };

/** What has been heard so far, in order: who asked, and the report or the error. */
function listen(asked: Readonly<Record<string, Promise<RebuildReport>>>): [string, unknown][] {
  const heard: [string, unknown][] = [];
  for (const [name, answer] of Object.entries(asked))
    answer.then(
      (value) => heard.push([name, value]),
      (error: Error) => heard.push([name, error.message]),
    );
  return heard;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it("answers when the round is in the tables, not when it is published", async () => {
  const queue = new RebuildQueue();
  const heard = listen({ first: queue.ask({ from: "2026-01-01" }), judged: queue.ask({ validate: true }) });
  expect(queue.isWaiting).toBe(true);
  const taken = queue.take();
  expect(taken.map(({ request }) => request)).toEqual([{ from: "2026-01-01" }, { validate: true }]);
  expect(queue.isWaiting).toBe(false);
  queue.published(taken, report, new Map([[taken[1]!, right]]));
  await settle();
  expect(heard).toEqual([]);
  queue.landed();
  await settle();
  expect(heard).toEqual([
    ["first", report],
    ["judged", { ...report, validation: right }],
  ]);
});

it("lets one that comes while a round is computed wait for the next", async () => {
  const queue = new RebuildQueue();
  const first = queue.ask({});
  const taken = queue.take();
  const heard = listen({ first, late: queue.ask({ to: "2026-01-31" }) });
  queue.published(taken, report, new Map());
  queue.landed();
  await settle();
  expect(heard).toEqual([["first", report]]);
  expect(queue.take().map(({ request }) => request)).toEqual([{ to: "2026-01-31" }]);
});

it("tells of a failed validation at once; the others of that round wait again", async () => {
  const queue = new RebuildQueue();
  const heard = listen({ judged: queue.ask({ validate: true }), other: queue.ask({ validate: true }) });
  const taken = queue.take();
  queue.refused(
    taken,
    { ...report, rows: 0 },
    new Map([
      [taken[0]!, wrong],
      [taken[1]!, right],
    ]),
  );
  await settle();
  expect(heard).toEqual([["judged", { ...report, rows: 0, validation: wrong }]]);
  expect(queue.take()).toEqual([taken[1]]);
});

it("has nothing to do where raw has no row", async () => {
  const queue = new RebuildQueue();
  const heard = listen({ plain: queue.ask({}), judged: queue.ask({ validate: true }) });
  queue.nothingToDo();
  await settle();
  const nothing = { windows: 0, rows: 0, durationMs: 0 };
  expect(heard).toEqual([
    ["plain", nothing],
    ["judged", { ...nothing, validation: right }],
  ]);
  expect(queue.isWaiting).toBe(false);
});

it("fails those that wait and those whose round is on its way when the lane ends", async () => {
  const queue = new RebuildQueue();
  const landing = queue.ask({});
  queue.published(queue.take(), report, new Map());
  const heard = listen({ landing, waiting: queue.ask({}) });
  queue.end(new Error("the aggregator ends"));
  queue.landed();
  await settle();
  expect(heard).toEqual([
    ["waiting", "the aggregator ends"],
    ["landing", "the aggregator ends"],
  ]);
});
