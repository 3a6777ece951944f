import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { waitFor } from "./wait-for.ts";

const LIMIT_MS = 10_000;

/** Stops a process where it stands (SIGSTOP) and waits until it really stands; returns what lets it go on. */
export async function pauseProcess(pid: number): Promise<() => void> {
  process.kill(pid, "SIGSTOP");
  const stopped = async () => (await promisify(execFile)("ps", ["-o", "state=", "-p", `${pid}`])).stdout.includes("T");
  await waitFor(stopped, { limitMs: LIMIT_MS, everyMs: 5, what: `stop of process ${pid}` });
  return () => void process.kill(pid, "SIGCONT");
}
