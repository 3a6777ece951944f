import { expect, it } from "vitest";

import { choose } from "./resume-command.ts";

const parked = [
  ["validator", "health.0"],
  ["validator", "health.1"],
  ["aggregator", "health.1"],
  ["catalog-writer", "health.accepted"],
  ["catalog-writer", "sales.accepted"],
  ["catalog-writer", 2],
].map(([stage, shard]) => ({ stage: stage as string, shard: shard as string | number, reason: "r", fix: "f" }));
const chosen = (name: string, stage?: string) =>
  choose(parked, name, stage).map(({ stage: of, shard }) => `${of} ${shard}`);

it("a name means the parked stage that status shows under it, before anything that ends or begins with it", () => {
  expect(chosen("health.accepted")).toEqual(["catalog-writer health.accepted"]);
  expect(chosen("health.1")).toEqual(["validator health.1", "aggregator health.1"]);
  expect(chosen("health.1", "validator")).toEqual(["validator health.1"]);
  expect(chosen("2")).toEqual(["catalog-writer 2"]);
  expect(chosen("0")).toEqual(["validator health.0"]);
  expect(chosen("sales")).toEqual(["catalog-writer sales.accepted"]);
  expect(chosen("health", "catalog-writer")).toEqual(["catalog-writer health.accepted"]);
  expect(chosen("heal")).toEqual([]);
});
