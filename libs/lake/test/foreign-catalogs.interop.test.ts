import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import {
  startRestCatalog,
  startS3Server,
  tempFolder,
  type RestCatalogServer,
  type S3Server,
  type TempFolder,
} from "@firn/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EVENTS, FIRST_ID, NAMESPACE, SECOND_ID, commitOf, request } from "../src/catalog/contract/contract-fixture.ts";
import { openCatalog, type CatalogAddress } from "../src/catalog/open-catalog.ts";
import type { RestCatalog } from "../src/catalog/rest-catalog.ts";
import { currentSnapshot } from "../src/metadata/table-metadata.ts";

const BUCKET = "lake";
const THIRD_ID = 42n;
const TABLES = "tables";

let folder: TempFolder;
let s3: S3Server;
const servers: Partial<Record<"apache-fixture" | "nessie", RestCatalogServer>> = {};

beforeAll(async () => {
  folder = await tempFolder("foreign-catalogs");
  s3 = await startS3Server({ kind: "seaweedfs", dir: join(folder.path, "s3"), tableBucket: TABLES });
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey },
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
  for (const kind of ["apache-fixture", "nessie"] as const)
    servers[kind] = await startRestCatalog({ kind, dir: folder.path, warehouse: `s3://${BUCKET}/${kind}`, s3 });
});
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
  await s3.stop();
  await folder.remove();
});

const addresses: Readonly<Record<string, () => CatalogAddress>> = {
  "Apache's fixture": () => ({ catalogUri: servers["apache-fixture"]!.uri }),
  "SeaweedFS (OAuth2)": () => ({
    catalogUri: s3.catalogUri ?? "",
    catalogWarehouse: `s3://${TABLES}`,
    catalogCredential: `${s3.accessKey}:${s3.secretKey}`,
  }),
  Nessie: () => ({ catalogUri: servers.nessie!.uri }),
};

/** What the pipeline asks of a catalog. */
describe.each(Object.keys(addresses))("what a lake needs, by %s", (name) => {
  let catalog: RestCatalog;
  beforeAll(() => {
    catalog = openCatalog(addresses[name]!());
  });
  afterEach(async () => {
    if (await catalog.tableExists(EVENTS)) await catalog.dropTable(EVENTS);
    if (await catalog.namespaceExists(NAMESPACE)) await catalog.dropNamespace(NAMESPACE);
  });

  it("makes a namespace and a table, and says so when they are there or missing", async () => {
    expect(await catalog.namespaceExists(NAMESPACE)).toBe(false);
    await catalog.createNamespace(NAMESPACE);
    await expect(catalog.createNamespace(NAMESPACE)).rejects.toMatchObject({ kind: "already_exists" });
    await expect(catalog.loadTable(EVENTS)).rejects.toMatchObject({ kind: "not_found" });
    expect(await catalog.tableExists(EVENTS)).toBe(false);
    const created = await catalog.createTable(EVENTS, request);
    // SeaweedFS answers with the table that is there.
    const again = await catalog.createTable(EVENTS, request).catch((error: unknown) => error as { kind?: string });
    if ("metadata" in again) expect(again.metadata["table-uuid"]).toBe(created.metadata["table-uuid"]);
    else expect(again.kind).toBe("already_exists");
    expect(created.metadata.location).toMatch(/^s3:\/\//);
    expect((await catalog.loadTable(EVENTS)).metadata["table-uuid"]).toBe(created.metadata["table-uuid"]);
    expect(await catalog.listTables(NAMESPACE)).toEqual([EVENTS]);
  });

  it("commits snapshots and properties as one, keeps 64-bit ids whole, and refuses a stale parent", async () => {
    await catalog.createNamespace(NAMESPACE);
    const created = await catalog.createTable(EVENTS, request);
    const commit = commitOf(created, FIRST_ID);
    const updates = [...commit.updates, { action: "set-properties" as const, updates: { "firn.position": "7" } }];
    await catalog.commitTable(EVENTS, { ...commit, updates });
    const first = await catalog.loadTable(EVENTS);
    expect(currentSnapshot(first.metadata)?.["snapshot-id"]).toBe(FIRST_ID);
    expect(first.metadata.properties).toMatchObject({ "firn.position": "7" });
    await catalog.commitTable(EVENTS, commitOf(first, SECOND_ID));
    await expect(catalog.commitTable(EVENTS, commitOf(first, THIRD_ID))).rejects.toMatchObject({ kind: "conflict" });
    expect((await catalog.loadTable(EVENTS)).metadata["current-snapshot-id"]).toBe(SECOND_ID);
  });

  it("refuses a second first snapshot, but for Nessie, which does not look at a parent of null", async () => {
    await catalog.createNamespace(NAMESPACE);
    const created = await catalog.createTable(EVENTS, request);
    await catalog.commitTable(EVENTS, commitOf(created, FIRST_ID));
    const other = catalog.commitTable(EVENTS, commitOf(created, SECOND_ID));
    if (name === "Nessie") await other;
    else await expect(other).rejects.toMatchObject({ kind: "conflict" });
  });
});
