import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { ProcessLedger } from "./process-ledger.ts";

/** What `firn replay --json` prints. */
export interface ReplayReport {
  readonly samples: number;
  readonly payloads: number;
  readonly refused: readonly unknown[];
  readonly seconds: number;
}

export interface SampleLoad {
  readonly appsFolder: string;
  readonly sampleFolder: string;
  readonly dataDir: string;
  readonly ingestUrl: string;
  readonly ledger: ProcessLedger;
  readonly signal: AbortSignal;
}

const DATA_FILE = /\.(csv|csv\.gz|ndjson|ndjson\.gz)$/;

/** Sends the shipped sample with `firn replay`, whose progress goes to this terminal. */
export async function loadSample(load: SampleLoad): Promise<ReplayReport> {
  const files = readdirSync(load.sampleFolder).filter((name) => DATA_FILE.test(name));
  const args = ["replay", "--json", "--data-dir", load.dataDir, "--ingest", load.ingestUrl];
  const child = spawn(
    process.execPath,
    [join(load.appsFolder, "cli", "dist", "main.js"), ...args, ...files.map((name) => join(load.sampleFolder, name))],
    { stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  if (child.pid !== undefined) load.ledger.add("replay", child.pid);
  const end = () => child.kill("SIGTERM");
  load.signal.addEventListener("abort", end);
  try {
    return await readReport(child);
  } finally {
    load.signal.removeEventListener("abort", end);
    load.ledger.remove("replay");
  }
}

async function readReport(child: ReturnType<typeof spawn>): Promise<ReplayReport> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`firn replay of the sample ended with ${code ?? "a signal"}`);
  return JSON.parse(output) as ReplayReport;
}
