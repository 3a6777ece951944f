import { afterAll, beforeAll, expect, test } from "vitest";
import { startNatsServer } from "../src/nats-server.ts";
import { tempFolder, type TempFolder } from "../src/temp-folder.ts";

let folder: TempFolder;

beforeAll(async () => {
  folder = await tempFolder("nats");
});
afterAll(() => folder?.remove());

test("starts a durable server on ports of its own, and again on the same ones after a kill and a stop", async () => {
  const server = await startNatsServer({ dir: `${folder.path}/a` });
  const other = await startNatsServer({ dir: `${folder.path}/b`, syncAlways: false, maxPayload: 1_000_000 });
  expect(other.url).not.toBe(server.url);
  const varz = async () => (await (await fetch(`${server.monitorUrl}/varz`)).json()) as Varz;
  expect(await varz()).toMatchObject({ max_payload: 8 * 1024 * 1024, jetstream: { config: { sync_always: true } } });
  const { url, pid } = server;
  await server.kill();
  await expect(varz()).rejects.toThrow();
  await server.restart();
  expect(server.url).toBe(url);
  expect(server.pid).not.toBe(pid);
  expect(`nats://127.0.0.1:${(await varz()).port}`).toBe(url);
  await server.restart();
  await server.stop();
  expect(await server.log()).toMatch(/Initiating Shutdown/);
  await other.stop();
});

test("says why it did not start", async () => {
  const server = await startNatsServer({ dir: `${folder.path}/c` });
  const port = Number(new URL(server.url).port);
  await expect(startNatsServer({ dir: `${folder.path}/d`, port })).rejects.toThrow(/address already in use/);
  await server.stop();
});

interface Varz {
  port: number;
  max_payload: number;
}
