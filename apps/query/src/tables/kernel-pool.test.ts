import { openKernel, type Kernel } from "@firn/lake";
import { tempFolder, type TempFolder } from "@firn/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KernelPool } from "./kernel-pool.ts";

let folder: TempFolder;
let kernel: Kernel;
beforeAll(async () => {
  folder = await tempFolder("kernel-pool");
  kernel = await openKernel({ memoryLimitMb: 256, threads: 1, tempDir: folder.path });
});
afterAll(async () => {
  kernel.close();
  await folder.remove();
});

it("refuses more questions than may wait", async () => {
  const small = await KernelPool.open(kernel, { concurrency: 1, waitingMax: 0, timeoutMs: 1000 });
  const first = small.run(() => new Promise<number>((done) => setTimeout(() => done(1), 50)));
  await expect(small.run(async () => 2)).rejects.toMatchObject({
    status: 503,
    code: "busy",
    headers: { "retry-after": "1" },
  });
  expect(await first).toBe(1);
  small.close();
});

it("interrupts a question that takes too long", async () => {
  const hasty = await KernelPool.open(kernel, { concurrency: 1, waitingMax: 1, timeoutMs: 100 });
  const slow = hasty.run((connection) => connection.rows("SELECT count(*) FROM range(1000000000) a, range(1000) b"));
  await expect(slow).rejects.toMatchObject({ status: 503, code: "question_timeout" });
  await expect.poll(() => hasty.running, { timeout: 20_000 }).toBe(0);
  expect(await hasty.run((connection) => connection.value<number>("SELECT 1"))).toBe(1);
  hasty.close();
});
