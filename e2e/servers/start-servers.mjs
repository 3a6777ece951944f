// Starts an S3 server, and another project's catalog if one is named, in a process of their own (servers-process.ts).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..");

/**
 * @param {string} s3 seaweedfs or versitygw
 * @param {string} [catalog] apache-fixture, seaweedfs or nessie; the lake's own when absent
 */
export async function startServers(s3, catalog = "firn") {
  const dir = mkdtempSync(join(tmpdir(), "firn-servers-"));
  const script = [join(root, "tools", "run-ts.mjs"), join(root, "e2e", "servers", "servers-process.ts")];
  const child = spawn(process.execPath, [...script, dir, s3, catalog], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) throw new Error(`${s3} and ${catalog} did not start`);
  return {
    env: JSON.parse(first.value),
    /** Resolves when the S3 server is back. */
    async killS3() {
      child.stdin.write("kill-s3\n");
      await lines.next();
    },
    async stop() {
      child.stdin.end();
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
