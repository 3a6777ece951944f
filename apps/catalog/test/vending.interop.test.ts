import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTableRequest } from "@firn/lake";
import { startS3Server, tempFolder, type S3Server, type TempFolder } from "@firn/testing";
import { ensurePyIceberg } from "../../../tools/foreign-servers.mjs";
import { callCatalog } from "./http-call.ts";
import { startCatalog, type RunningCatalog } from "./running-catalog.ts";

const run = promisify(execFile);
const STEP_MS_MAX = 120_000;
const PATH = "/v1/namespaces/ns/tables/t";
const DELEGATION = { "x-iceberg-access-delegation": "vended-credentials" };

let folder: TempFolder;
let s3: S3Server;
let server: RunningCatalog;
beforeAll(async () => {
  folder = await tempFolder("vending");
  s3 = await startS3Server({ kind: "seaweedfs", dir: join(folder.path, "s3") });
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
  const client = new S3Client({ endpoint: s3.endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: "lake" }));
  client.destroy();
  const sha256 = (token: string): string => createHash("sha256").update(token).digest("hex");
  const tokens = [
    { name: "w", sha256: sha256("writer"), scopes: ["catalog"] },
    { name: "r", sha256: sha256("reader"), scopes: ["catalog_read"] },
  ];
  await writeFile(`${folder.path}/tokens.json`, JSON.stringify({ version: 1, tokens }));
  server = await startCatalog({
    ICEBERG_WAREHOUSE: "s3://lake/warehouse",
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY: s3.accessKey,
    S3_SECRET_KEY: s3.secretKey,
    FIRN_CATALOG_VENDING: "static",
    FIRN_TOKENS_FILE: `${folder.path}/tokens.json`,
  });
  const made = await call("POST", "/v1/namespaces", { namespace: ["ns"] });
  expect(made.status).toBe(200);
  const { schema } = createTableRequest({
    columns: [{ name: "id", type: "long", required: false }],
    identity: [],
    partition: [],
    sort: [],
    properties: {},
  });
  expect((await call("POST", "/v1/namespaces/ns/tables", { name: "t", schema })).status).toBe(200);
});
afterAll(async () => {
  await server?.close();
  await s3?.stop();
  await folder?.remove();
});

const call = (method: string, path: string, body?: unknown, headers = {}) =>
  callCatalog(server.url, method, path, body, { authorization: "Bearer writer", ...headers });

describe("credentials for a warehouse on S3", () => {
  it("come with a table for writers who ask, and never else", async () => {
    const quiet = await call("GET", PATH);
    expect(quiet.body).toMatchObject({ config: {} });
    expect(JSON.stringify(quiet.body)).not.toContain(s3.secretKey);
    const { body } = await call("GET", PATH, undefined, DELEGATION);
    const config = { "s3.access-key-id": s3.accessKey, "s3.secret-access-key": s3.secretKey };
    expect(body.config).toMatchObject({ ...config, "s3.endpoint": s3.endpoint, "s3.path-style-access": "true" });
    expect(body["storage-credentials"]).toMatchObject([{ prefix: "s3://lake/warehouse/ns/t", config }]);
    expect((await call("GET", `${PATH}/credentials`)).body["storage-credentials"]).toEqual(body["storage-credentials"]);
    const reader = await call("GET", `${PATH}/credentials`, undefined, { authorization: "Bearer reader" });
    expect(reader.status).toBe(403);
    const defaults = (await call("GET", "/v1/config")).body.defaults;
    expect(defaults).toMatchObject({ "s3.endpoint": s3.endpoint });
    expect(JSON.stringify(defaults)).not.toContain(s3.accessKey);
  });

  it("of our client's own place outside the bucket or its folder are refused", async () => {
    const schema = { type: "struct", fields: [] };
    const outside = [
      "s3://lake-evil/warehouse/x",
      "s3://lake/warehouse2/x",
      "s3://lake",
      "s3://lake/",
      "s3://lake/warehouse",
      "s3://lake/warehouse/../x",
      "s3://lake/warehouse/%2e%2e/x",
      "s3://lake@evil/warehouse/x",
      "s3a://other/warehouse/x",
      "s3://LAKE/warehouse/x",
      "https://lake.s3.amazonaws.com/warehouse/x",
      "file:///tmp/x",
      "/tmp/x",
    ];
    for (const location of outside) {
      const answer = await call("POST", "/v1/namespaces/ns/tables", { name: "x", schema, location });
      expect([location, answer.status]).toEqual([location, 400]);
    }
    const alias = { name: "alias", schema, location: "s3a://lake/warehouse/elsewhere" };
    expect((await call("POST", "/v1/namespaces/ns/tables", alias)).status).toBe(200);
  });

  it(
    "suffice PyIceberg, which has none of its own",
    async () => {
      const script = `
import sys, pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog
catalog = RestCatalog("firn", uri=sys.argv[1], token="writer", **{"header.X-Iceberg-Access-Delegation": "vended-credentials"})
table = catalog.load_table("ns.t")
table.append(pa.table({"id": pa.array([1, 2, 3], pa.int64())}))
print(sum(catalog.load_table("ns.t").scan().to_arrow()["id"].to_pylist()))
`;
      const { PATH: path = "" } = process.env;
      const env = { PATH: path, HOME: folder.path, AWS_EC2_METADATA_DISABLED: "true", PYTHONPATH: ensurePyIceberg() };
      const { stdout } = await run("python3", ["-c", script, server.url], { env, timeout: STEP_MS_MAX });
      expect(stdout.trim()).toBe("6");
      expect((await call("DELETE", `${PATH}?purgeRequested=true`)).status).toBe(204);
    },
    STEP_MS_MAX,
  );
});
