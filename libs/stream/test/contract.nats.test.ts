import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { startNatsServer, tempFolder } from "@firn/testing";
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
