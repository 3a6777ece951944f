import { openKernel, type Kernel, type KernelConnection } from "@firn/lake";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

/** DuckDB in this process, with a temporary folder. */
export interface LocalKernel {
  /** Its path; `spill` in it is the kernel's. */
  readonly folder: string;
  readonly kernel: Kernel;
  readonly connection: KernelConnection;
  close(): Promise<void>;
}

/** @param name of the folder, after `firn-` */
export async function openLocalKernel(name: string, { memoryLimitMb = 128 } = {}): Promise<LocalKernel> {
  const folder = await tempFolder(name);
  const kernel = await openKernel({ memoryLimitMb, threads: 1, tempDir: join(folder.path, "spill") });
  const connection = await kernel.connect();
  return {
    folder: folder.path,
    kernel,
    connection,
    async close() {
      connection.close();
      kernel.close();
      await folder.remove();
    },
  };
}
