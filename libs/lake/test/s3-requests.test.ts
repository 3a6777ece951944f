import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tempFolder } from "@firn/testing";
import { expect, test } from "vitest";
import { isLakeError, openStore } from "../src/index.ts";

test("each request to S3 is told with its outcome, each try of its own", async () => {
  const folder = await tempFolder("s3-requests");
  let fails = 1;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      if (request.method === "DELETE") {
        response.writeHead(fails-- > 0 ? 503 : 204).end();
      } else response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const told: string[] = [];
  try {
    const store = await openStore({
      warehouse: "s3://lake/w",
      cacheFolder: folder.path,
      s3: {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        region: "us-east-1",
        credentials: { accessKeyId: "a", secretAccessKey: "b" },
        observer: { s3Request: (operation, outcome) => told.push(`${operation} ${outcome}`) },
      },
    });
    await store.delete("s3://lake/w/a");
    expect(await store.stat("s3://lake/w/b")).toBeUndefined();
    await expect(store.get("s3://lake/w/b")).rejects.toSatisfy((error) => isLakeError(error, "not_found"));
  } finally {
    server.close();
    server.closeAllConnections();
    await folder.remove();
  }
  expect(told).toEqual(["DeleteObject failed", "DeleteObject ok", "HeadObject not_found", "GetObject not_found"]);
});
