import { setTimeout as sleep } from "node:timers/promises";

import { readJsonFile, removeFile, writeJsonFile } from "./atomic-file.ts";
import { identifyProcess, type ProcessIdentity } from "./process-identity.ts";

/** A child as it was when it was started. */
export interface LedgerEntry extends ProcessIdentity {
  readonly name: string;
}

const POLL_MS = 50;
const TERM_WAIT_MS = 10_000;
const KILL_WAIT_MS = 5_000;

/**
 * The children that run, on disk, so that the next start finds what a killed one left behind. Written right after each
 * start and end of a child.
 */
export class ProcessLedger {
  readonly #path: string;
  readonly #entries = new Map<string, LedgerEntry>();

  constructor(path: string) {
    this.#path = path;
  }

  add(name: string, pid: number): void {
    const identity = identifyProcess(pid);
    if (identity === undefined) return;
    this.#entries.set(name, { name, ...identity });
    this.#write();
  }

  remove(name: string): void {
    if (this.#entries.delete(name)) this.#write();
  }

  /** The file goes when nothing runs any more. */
  close(): void {
    if (this.#entries.size === 0) removeFile(this.#path);
  }

  #write(): void {
    writeJsonFile(this.#path, [...this.#entries.values()]);
  }
}

/**
 * Ends the children of an earlier start that still run. A process is ended only when its id, its start time and its
 * command line are all as they were written down. Returns the names of those that were ended.
 */
export async function endOrphans(ledgerPath: string): Promise<readonly string[]> {
  const orphans = readLedger(ledgerPath).filter(stillRuns);
  for (const orphan of orphans) signal(orphan, "SIGTERM");
  await waitUntilGone(orphans, TERM_WAIT_MS);
  for (const orphan of orphans.filter(stillRuns)) signal(orphan, "SIGKILL");
  const left = await waitUntilGone(orphans, KILL_WAIT_MS);
  if (left.length > 0) {
    throw new Error(
      `processes of an earlier start do not end: ${left.map(({ name, pid }) => `${name} (${pid})`).join(", ")}`,
    );
  }
  removeFile(ledgerPath);
  return orphans.map(({ name }) => name);
}

function readLedger(path: string): readonly LedgerEntry[] {
  const value = readJsonFile(path);
  return Array.isArray(value) ? value.filter(isLedgerEntry) : [];
}

function isLedgerEntry(value: unknown): value is LedgerEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Record<string, unknown>;
  const texts = [entry["name"], entry["started"], entry["command"]].every(
    (text) => typeof text === "string" && text !== "",
  );
  return texts && Number.isInteger(entry["pid"]) && (entry["pid"] as number) > 1;
}

function stillRuns(entry: LedgerEntry): boolean {
  const now = identifyProcess(entry.pid);
  return now !== undefined && now.started === entry.started && now.command === entry.command;
}

function signal(entry: LedgerEntry, name: NodeJS.Signals): void {
  try {
    process.kill(entry.pid, name);
  } catch {
    // It ended in between.
  }
}

async function waitUntilGone(entries: readonly LedgerEntry[], limitMs: number): Promise<readonly LedgerEntry[]> {
  const giveUpAt = Date.now() + limitMs;
  for (;;) {
    const left = entries.filter(stillRuns);
    if (left.length === 0 || Date.now() > giveUpAt) return left;
    await sleep(POLL_MS);
  }
}
