import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

import type { ProcessLedger } from "./process-ledger.ts";

/** A lake's shipped sample, and the command of `firn` that sends its files. */
export interface Sample {
  readonly lake: string;
  readonly command: readonly string[];
  readonly options: readonly string[];
  /** Whether the command asks the relations. */
  readonly needsDatabase: boolean;
}

export const SAMPLES: readonly Sample[] = [
  { lake: "health", command: ["replay"], options: [], needsDatabase: false },
  { lake: "market", command: ["import", "prices"], options: ["--market", "us", "--no-wait"], needsDatabase: true },
];

export interface SampleLoad {
  readonly appsFolder: string;
  /** Folder with one folder a lake. */
  readonly samplesFolder: string;
  readonly dataDir: string;
  readonly ingestUrl: string;
  readonly databaseUrl: string | undefined;
  /** What the command inherits. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly ledger: ProcessLedger;
  readonly signal: AbortSignal;
}

const DATA_FILE = /\.(csv|csv\.gz|ndjson|ndjson\.gz)$/;

/**
 * Sends a lake's sample with `firn`, whose progress goes to this terminal.
 * @throws Error when it ends with anything but 0
 */
export async function loadSample({ lake, command, options }: Sample, load: SampleLoad): Promise<void> {
  const folder = join(load.samplesFolder, lake);
  const files = readdirSync(folder).filter((name) => DATA_FILE.test(name));
  const where = ["--json", "--ingest", load.ingestUrl];
  const child = spawn(
    process.execPath,
    [
      join(load.appsFolder, "cli", "dist", "main.js"),
      ...command,
      ...options,
      ...where,
      ...files.map((name) => join(folder, name)),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
      env: {
        ...load.environment,
        FIRN_DATA_DIR: load.dataDir,
        ...(load.databaseUrl === undefined ? {} : { DATABASE_URL: load.databaseUrl }),
      },
    },
  );
  if (child.pid !== undefined) load.ledger.add("sample", child.pid);
  const end = () => child.kill("SIGTERM");
  load.signal.addEventListener("abort", end);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new Error(`firn ${command.join(" ")} of the ${lake} sample ended with ${code ?? "a signal"}`);
  } finally {
    load.signal.removeEventListener("abort", end);
    load.ledger.remove("sample");
  }
}
