import { mkdir } from "node:fs/promises";

import { answersAt, prepareEmbeddedPostgres } from "@firn/relational";

import { Child } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./wait-for.ts";

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;

export interface PostgresServer {
  readonly databaseUrl: string;
  readonly pid: number;
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>;
}

/** Starts the PostgreSQL that npm brings, on a port of its own, and waits until it answers. */
export async function startPostgres({ dir }: { readonly dir: string }): Promise<PostgresServer> {
  await mkdir(dir, { recursive: true });
  const server = await prepareEmbeddedPostgres({ dir, port: await freePort(), durable: false });
  const { command, args, databaseUrl, stopSignal, ...ids } = server;
  const launch = async () => {
    const started = new Child(command, args, { ...ids, stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
    const look = async () => {
      started.assertAlive("postgres");
      return answersAt(databaseUrl);
    };
    await waitFor(look, { limitMs: START_LIMIT_MS, everyMs: 20, what: "the start of postgres" });
    return started;
  };
  let child = await launch();
  const end = async (signal: NodeJS.Signals) => {
    if (child.hasExited) return;
    child.process.kill(signal);
    await waitFor(() => child.hasExited, { limitMs: STOP_LIMIT_MS, what: "the end of postgres" });
  };
  return {
    databaseUrl,
    get pid() {
      return child.pid;
    },
    stop: () => end(stopSignal),
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGKILL");
      child = await launch();
    },
  };
}
