import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What tells one process from a later one that got the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque, equal for the same process only: boot and clock ticks (Linux) or the start time that ps prints. */
  readonly started: string;
  /** The command line, arguments joined by blanks. */
  readonly command: string;
}

/** The running process of that id, or undefined when there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program stands in parentheses and may hold blanks: fields are counted from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const state = fields[0];
    const startTicks = fields[19];
    if (state === "Z" || state === "X" || startTicks === undefined) return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean).join(" ");
    return { pid, started: `${bootId()}:${startTicks}`, command };
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function fromPs(pid: number): ProcessIdentity | undefined {
  try {
    const ps = (column: string) =>
      execFileSync("ps", ["-o", `${column}=`, "-p", String(pid)], { encoding: "utf8" }).trim();
    if (ps("stat").startsWith("Z")) return undefined;
    return { pid, started: ps("lstart"), command: ps("command") };
  } catch {
    return undefined;
  }
}
