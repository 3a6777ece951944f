import { ClientError, type IngestClient } from "@firn/client";
import { datasets } from "@firn/datasets";
import { MarketSender } from "@firn/feeds";
import { findOrAddSecurities, nextMirrorChanges, type RelationalDatabase } from "@firn/relational";
import { silentLogger } from "@firn/service";
import { startMigratedDatabase, waitFor, type MigratedDatabase } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Mirror } from "../src/mirror.ts";

let relations: MigratedDatabase;
let database: RelationalDatabase;

beforeAll(async () => {
  relations = await startMigratedDatabase("mirror");
  ({ database } = relations);
});
afterAll(() => relations?.close());

interface Payload {
  readonly table: string;
  readonly rows?: readonly Record<string, unknown>[];
  readonly deleted?: readonly Record<string, unknown>[];
}

test("each change arrives in order, as soon as it is made; while ingest is away none is forgotten", async () => {
  const sent: Payload[] = [];
  let isAway = true;
  const client = {
    send: (_: string, payloads: readonly unknown[]) => {
      if (isAway) return Promise.reject(new ClientError("unavailable", "ingest is away", {}));
      sent.push(...(payloads as readonly Payload[]));
      return Promise.resolve({ receipt: "r", payloads: 1 });
    },
  } as unknown as IngestClient;
  const dataset = datasets.get("market")!;
  const mirror = new Mirror({ database, sender: new MarketSender(client, "mirror"), dataset, logger: silentLogger() });
  const ending = new AbortController();
  const ended = mirror.run(ending.signal);

  await findOrAddSecurities(database, "US", ["AAPL"]);
  await database.query("UPDATE tb_meta SET name = 'Apple', marketcap = 3e12");
  expect(await nextMirrorChanges(database, 10)).toHaveLength(2);
  isAway = false;
  await waitFor(async () => (await nextMirrorChanges(database, 10)).length === 0, {
    limitMs: 20_000,
    what: "the mirror",
  });
  const dataRows = sent.flatMap(({ rows }) => rows ?? []);
  expect(dataRows.at(-1)).toMatchObject({ ticker: "AAPL", iso_code: "US", name: "Apple", marketcap: 3e12 });
  const validation = dataset.beginRun({ strict: true, defaultZone: "UTC" }, 0);
  const bytes = Buffer.from(JSON.stringify({ table: "tb_meta", rows: dataRows }));
  const place = { subject: "intake.market.0", shard: 0, sequence: 1, receivedAtUs: 0 };
  validation.add({ bytes, encoding: "json", origin: { kind: "http" }, ...place });
  expect(validation.finish().rejected).toEqual([]);

  await database.query("DELETE FROM tb_meta");
  await waitFor(() => sent.some(({ deleted }) => deleted !== undefined), { limitMs: 5_000, what: "the deletion" });
  expect(sent.at(-1)).toMatchObject({ table: "tb_meta", deleted: [{ meta_id: dataRows[0]!["meta_id"] }] });
  ending.abort();
  await ended;
});
