import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleScript, Child, startNatsServer, tempFolder, type NatsServer, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder: TempFolder;
let scripts: string;
let server: NatsServer;
const fileOf = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await tempFolder("stream-tls");
  scripts = await mkdtemp(join(import.meta.dirname, "..", "..", "..", "node_modules", ".firn-tls-"));
  // Of an address instead of a name the client library asks for localhost.
  const subject = ["-subj", "/CN=firn-test", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-nodes"];
  const files = ["-keyout", fileOf("key.pem"), "-out", fileOf("cert.pem")];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject, ...files], { stdio: "ignore" });
  const tls = `tls { cert_file: ${JSON.stringify(fileOf("cert.pem"))}, key_file: ${JSON.stringify(fileOf("key.pem"))} }\n`;
  await writeFile(fileOf("tls.conf"), tls);
  const include = { file: fileOf("tls.conf"), env: {} };
  server = await startNatsServer({ dir: fileOf("nats"), syncAlways: false, include });
  await bundleScript(join(import.meta.dirname, "tls-round.ts"), join(scripts, "tls-round.mjs"));
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await rm(scripts, { recursive: true, force: true });
  await folder?.remove();
});

/** The authority is known by NODE_EXTRA_CA_CERTS, which Node reads when it starts: hence a process. */
async function round(connectLimitMs: number, env: Readonly<Record<string, string>>) {
  const args = [join(scripts, "tls-round.mjs"), server.url.replace("nats:", "tls:"), String(connectLimitMs)];
  const child = new Child(process.execPath, args, { env: { ...process.env, ...env } });
  const { code } = await child.exited;
  return { code, log: child.log };
}

test("messages longer than a read come whole through TLS", { timeout: 60_000 }, async () => {
  const { code, log } = await round(20_000, { NODE_EXTRA_CA_CERTS: fileOf("cert.pem") });
  expect(log).toContain("60 of 60 came as they went");
  expect(code).toBe(0);
});

test("a server whose certificate nobody vouches for is refused", { timeout: 60_000 }, async () => {
  const { code, log } = await round(500, {});
  expect(log).toMatch(/self-signed certificate|certificate/);
  expect(log).not.toContain("came as they went");
  expect(code).not.toBe(0);
});
