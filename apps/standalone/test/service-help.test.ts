import { formatHelp } from "@firn/service";
import { join } from "node:path";
import { expect, it } from "vitest";

import { aggregatorService } from "../../aggregator/src/aggregator-service.ts";
import { writerService } from "../../catalog-writer/src/writer-service.ts";
import { catalogService } from "../../catalog/src/catalog-service.ts";
import { ingestService } from "../../ingest/src/ingest-service.ts";
import { marketService } from "../../market/src/market-service.ts";
import { queryService } from "../../query/src/query-service.ts";
import { validatorService } from "../../validator/src/validator-service.ts";
import { PROCESS_NAMES } from "../src/start-arguments.mjs";

/** What `node apps/NAME/dist/main.js --help` prints: names, types, defaults and sentences that operators rely on. */
const HELP: Readonly<Record<string, string>> = {
  aggregator: formatHelp(aggregatorService),
  catalog: formatHelp(catalogService),
  "catalog-writer": formatHelp(writerService),
  ingest: formatHelp(ingestService),
  market: formatHelp(marketService),
  query: formatHelp(queryService),
  validator: formatHelp(validatorService),
};

it("every service that a start runs has its help kept", () => {
  expect(Object.keys(HELP).sort()).toEqual(
    PROCESS_NAMES.filter((name) => name !== "nats" && name !== "database").sort(),
  );
});

it.each(Object.entries(HELP))("%s --help is as it was", async (name, help) => {
  await expect(help).toMatchFileSnapshot(join(import.meta.dirname, "golden", `${name}.help.txt`));
});

it("a variable that several services read means the same to all: type, rule and sentence", () => {
  const seen = new Map<string, string>();
  for (const line of Object.values(HELP).flatMap((help) => help.split("\n"))) {
    const [, env, type, sentence] =
      /^ {2}([A-Z_0-9]+) +(\w+) +(?:required|optional|default \S+) +(.*)$/.exec(line) ?? [];
    if (env === undefined) continue;
    const meaning = `${type} ${sentence?.trim()}`;
    expect(meaning, env).toBe(seen.get(env) ?? meaning);
    seen.set(env, meaning);
  }
  expect(seen.size).toBeGreaterThan(20);
});
