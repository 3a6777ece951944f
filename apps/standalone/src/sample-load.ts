import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { ProcessLedger } from "./process-ledger.ts";

/** A lake's shipped sample: the folder `samples/<lake>`, whose `sample.json` says how it is sent and asked about. */
export interface Sample {
  readonly lake: string;
  /** The command of `firn` that sends the folder's files, with its options. */
  readonly command: readonly string[];
  /** Samples are sent in this order. */
  readonly order: number;
  /** Whether the command asks the relations. */
  readonly needsDatabase: boolean;
  /** Paths of questions about it, to copy. */
  readonly questions: readonly string[];
}

/** Every folder with a `sample.json`, in order. */
export function findSamples(samplesFolder: string): readonly Sample[] {
  if (!existsSync(samplesFolder)) return [];
  const samples = readdirSync(samplesFolder).flatMap((lake) => {
    const path = join(samplesFolder, lake, "sample.json");
    if (!existsSync(path)) return [];
    const said = JSON.parse(readFileSync(path, "utf8")) as Pick<Sample, "command"> & Partial<Sample>;
    return [{ order: Infinity, needsDatabase: false, questions: [], ...said, lake }];
  });
  return samples.sort((one, other) => one.order - other.order || (one.lake < other.lake ? -1 : 1));
}

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
export async function loadSample({ lake, command }: Sample, load: SampleLoad): Promise<void> {
  const folder = join(load.samplesFolder, lake);
  const files = readdirSync(folder).filter((name) => DATA_FILE.test(name));
  const where = ["--json", "--ingest", load.ingestUrl];
  const child = spawn(
    process.execPath,
    [join(load.appsFolder, "cli", "dist", "main.js"), ...command, ...where, ...files.map((name) => join(folder, name))],
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
    if (code !== 0) throw new Error(`firn ${command[0]} of the ${lake} sample ended with ${code ?? "a signal"}`);
  } finally {
    load.signal.removeEventListener("abort", end);
    load.ledger.remove("sample");
  }
}
