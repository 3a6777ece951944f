import { afterAll, beforeAll, expect, it } from "vitest";
import { RestCatalog, createTableRequest } from "@firn/lake";
import { connectStreams, type StreamConnection } from "@firn/stream";
import { startNatsServer, tempFolder, waitFor, type NatsServer, type TempFolder } from "@firn/testing";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

const TABLE = { namespace: ["a", "b"], name: "odd name*.>" };

let folder: TempFolder;
let nats: NatsServer;
let listener: StreamConnection;
let server: RunningCatalog;
const heard: { subject: string; event: Record<string, unknown> }[] = [];
beforeAll(async () => {
  folder = await tempFolder("catalog-events");
  nats = await startNatsServer({ dir: folder.path });
  listener = await connectStreams({ url: nats.url, name: "listener" });
  listener.subscribeHints("lake.committed.>", (subject, data) => {
    heard.push({ subject, event: JSON.parse(Buffer.from(data).toString("utf8")) as Record<string, unknown> });
  });
  server = await startCatalog({ NATS_URL: nats.url });
});
afterAll(async () => {
  await server.close();
  await listener.close();
  await nats.stop();
  await folder.remove();
});

it("says which table has changed; and works without a broker", async () => {
  const catalog = new RestCatalog({ uri: server.url });
  await catalog.createNamespace(["a", "b"]);
  const request = createTableRequest({ columns: [], identity: [], partition: [], sort: [], properties: {} });
  await catalog.createTable(TABLE, request);
  let value = 0;
  const commit = () =>
    catalog.commitTable(TABLE, {
      requirements: [],
      updates: [{ action: "set-properties", updates: { n: String((value += 1)) } }],
    });
  // The link to the broker is made in the background: until then nothing is said.
  const { metadataLocation } = await waitFor(
    async () => {
      const made = await commit();
      return heard.length > 0 && made;
    },
    { limitMs: 10_000, what: "an event" },
  );
  await waitFor(() => heard.some((one) => one.event["metadata_location"] === metadataLocation), { limitMs: 5_000 });
  expect(heard.at(-1)).toEqual({
    subject: "lake.committed.a.b.odd_name___",
    event: { v: 1, namespace: ["a", "b"], table: TABLE.name, snapshot_id: null, metadata_location: metadataLocation },
  });
  await nats.stop();
  await commit();
  expect((await catalog.loadTable(TABLE)).metadata.properties["n"]).toBe(String(value));
});
