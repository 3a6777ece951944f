import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stsCredentials } from "./sts-credentials.ts";

const TABLE = { location: "s3://lake/wh/ns/t", properties: {} };
const NOW_MS = Date.UTC(2026, 10, 21);
const LIFE_MS = 3_600_000;

/** Answers AssumeRole as AWS does (STS API reference, AssumeRole), and keeps what it was asked. */
let server: Server;
let asked: URLSearchParams[];
let status: number;
let nowMs: number;
beforeEach(async () => {
  asked = [];
  status = 200;
  nowMs = NOW_MS;
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    request.on("end", () => {
      asked.push(new URLSearchParams(body));
      const ends = new Date(nowMs + LIFE_MS).toISOString();
      const keys = `<AccessKeyId>AK${asked.length}</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>ST</SessionToken>`;
      const good = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>${keys}<Expiration>${ends}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
      const bad = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`;
      response.writeHead(status, { "content-type": "text/xml" }).end(status === 200 ? good : bad);
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterEach(() => void server.close());

const open = () =>
  stsCredentials({
    address: { region: "eu-central-1", endpoint: "http://s3.example:9000" },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    roleArn: "arn:aws:iam::1:role/lake",
    durationSeconds: 3600,
    credentials: { accessKeyId: "own", secretAccessKey: "secret" },
    nowMs: () => nowMs,
  });

describe("sessions of a role", () => {
  it("are narrowed to the table and given as S3FileIO reads them", async () => {
    const vendor = open();
    const [vended] = await vendor.vend(TABLE, "write");
    expect(vended).toEqual({
      prefix: TABLE.location,
      config: {
        "client.region": "eu-central-1",
        "s3.region": "eu-central-1",
        "s3.endpoint": "http://s3.example:9000",
        "s3.path-style-access": "true",
        "s3.access-key-id": "AK1",
        "s3.secret-access-key": "SK",
        "s3.session-token": "ST",
        "s3.session-token-expires-at-ms": String(NOW_MS + LIFE_MS),
      },
    });
    expect(asked[0]!.get("Action")).toBe("AssumeRole");
    expect(asked[0]!.get("RoleArn")).toBe("arn:aws:iam::1:role/lake");
    expect(asked[0]!.get("DurationSeconds")).toBe("3600");
    expect(asked[0]!.get("Policy")).toContain("arn:aws:s3:::lake/wh/ns/t/*");
    vendor.close();
  });

  it("are shared until half of their life is over, but not between tables and rights", async () => {
    const vendor = open();
    const keyOf = async (location: string, access: "read" | "write"): Promise<string | undefined> =>
      (await vendor.vend({ ...TABLE, location }, access))[0]?.config["s3.access-key-id"];
    expect(await Promise.all([keyOf(TABLE.location, "write"), keyOf(TABLE.location, "write")])).toEqual(["AK1", "AK1"]);
    expect(await keyOf(TABLE.location, "read")).toBe("AK2");
    expect(await keyOf("s3://lake/wh/ns/other", "write")).toBe("AK3");
    nowMs += LIFE_MS / 2 - 1;
    expect(await keyOf(TABLE.location, "write")).toBe("AK1");
    nowMs += 1;
    expect(await keyOf(TABLE.location, "write")).toBe("AK4");
    vendor.close();
  });

  it("that are refused are said to be, and asked for again", async () => {
    const vendor = open();
    status = 403;
    await expect(vendor.vend(TABLE, "write")).rejects.toMatchObject({ kind: "unauthorized" });
    status = 200;
    expect(await vendor.vend(TABLE, "write")).toHaveLength(1);
    vendor.close();
  });

  it("of a service that is away are unavailable", async () => {
    const vendor = open();
    await new Promise((closed) => server.close(closed));
    await expect(vendor.vend(TABLE, "write")).rejects.toMatchObject({ kind: "unavailable" });
    vendor.close();
  });

  it("cover the folders that properties name", async () => {
    const vendor = open();
    const properties = { "write.data.path": "s3://lake/data/t", "write.metadata.path": "s3a://lake/wh/ns/t/meta" };
    const vended = await vendor.vend({ ...TABLE, properties }, "read");
    expect(vended.map(({ prefix }) => prefix)).toEqual(["s3://lake/wh/ns/t", "s3://lake/data/t"]);
    vendor.close();
  });
});
