// Free ports of the loopback for servers that tests start. Nothing keeps a port free until the server listens: where
// many connections are made meanwhile, tools/deploy/container-set.mjs takes ports that Linux gives to none of them.
import { createServer } from "node:net";

/** Ports that nobody listens on, all different: they are held until all are known. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function freePort() {
  const [port] = await freePorts(1);
  return port;
}

function listen() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
