import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { startNatsServer, tempFolder } from "@firn/testing";
import { expect, test } from "vitest";
import { connectStreams } from "../src/connect-streams.ts";
import { describeStreamContract } from "../src/contract.ts";

describeStreamContract("JetStream", async () => {
  const folder = await tempFolder("stream");
  const server = await startNatsServer({ dir: folder.path });
  return {
    connect: () => connectStreams({ url: server.url, name: "contract", reconnectDelayMaxMs: 200, heartbeatMs: 500 }),
    async deleteStream(name) {
      const nc = await connect({ servers: server.url });
      await (await jetstreamManager(nc)).streams.delete(name);
      await nc.close();
    },
    crash: () => server.kill(),
    restart: () => server.restart(),
    async close() {
      await server.stop();
      await folder.remove();
    },
  };
});

test("values of the bucket carry a version; those from before it are read, those of a newer release are not", async () => {
  const folder = await tempFolder("bucket");
  const server = await startNatsServer({ dir: folder.path });
  const nc = await connect({ servers: server.url });
  const streams = await connectStreams({ url: server.url, name: "bucket" });
  try {
    const attempts = await streams.attempts("firn");
    const kv = await new Kvm(jetstream(nc)).open("firn");
    await attempts.put("table.health_db.raw", { uuid: "8d1f" });
    await attempts.put("pipeline-id", "0198");
    expect((await kv.get("table.health_db.raw"))?.string()).toBe('{"v":1,"uuid":"8d1f"}');
    expect((await kv.get("pipeline-id"))?.string()).toBe('"0198"');
    await kv.put("table.health_db.errors", '{"uuid":"9e2a"}');
    expect(await attempts.get("table.health_db.errors")).toEqual({ uuid: "9e2a" });
    await kv.put("table.health_db.errors", '{"v":2,"id":"9e2a"}');
    await expect(attempts.get("table.health_db.errors")).rejects.toThrow(
      /the value of table\.health_db\.errors in the lake's bucket of version 2: this release reads versions up to 1/,
    );
  } finally {
    await streams.close();
    await nc.close();
    await server.stop();
    await folder.remove();
  }
});
