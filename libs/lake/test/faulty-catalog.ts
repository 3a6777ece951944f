import { LakeError } from "../src/lake-error.ts";
import type { Catalog, LoadTableOptions, LoadedTable, TableCommit, TableIdentifier } from "../src/catalog/catalog.ts";

/**
 * What happens to one call, in the order of the script; after its end calls go through.
 *
 * - `ok`: goes through.
 * - `fail-before`: never reaches the catalog, and the caller knows (`unavailable`).
 * - `lost`: never reaches the catalog, and the caller does not know (`unknown_outcome`).
 * - `fail-after`: reaches the catalog; its answer is lost (`unknown_outcome`).
 * - `late`: the caller is told `unknown_outcome`; the call reaches the catalog just before the next commit.
 * - `refuse`: answered with 409 though nothing is wrong.
 * - a function: runs instead of the call, given the call.
 */
export type Fault = "ok" | "fail-before" | "lost" | "fail-after" | "late" | "refuse" | CallFault;
type CallFault = (call: () => Promise<LoadedTable>) => Promise<LoadedTable>;

export interface FaultScript {
  readonly commits?: readonly Fault[];
  /** Only `ok` and `fail-before` make sense for loads. */
  readonly loads?: readonly Fault[];
}

export interface FaultyCatalog extends Catalog {
  script(script: FaultScript): void;
  /** Calls since the last script. */
  readonly calls: readonly ("commit" | "load")[];
}

/** A catalog whose commits and loads fail as a script says. */
export function faultyCatalog(inner: Catalog): FaultyCatalog {
  let commits: Fault[] = [];
  let loads: Fault[] = [];
  let calls: ("commit" | "load")[] = [];
  let late: (() => Promise<LoadedTable>) | undefined;

  const commitTable = async (identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> => {
    calls.push("commit");
    const arriving = late;
    late = undefined;
    await arriving?.().catch(() => undefined);
    const call = (): Promise<LoadedTable> => inner.commitTable(identifier, commit);
    const fault = commits.shift() ?? "ok";
    if (fault === "late") late = call;
    return run(fault, call);
  };
  const loadTable = async (identifier: TableIdentifier, options?: LoadTableOptions) => {
    calls.push("load");
    return run(loads.shift() ?? "ok", () => inner.loadTable(identifier, options ?? {}) as Promise<LoadedTable>);
  };
  const overrides: Partial<FaultyCatalog> = {
    commitTable,
    loadTable: loadTable as Catalog["loadTable"],
    script: (script) => {
      commits = [...(script.commits ?? [])];
      loads = [...(script.loads ?? [])];
      calls = [];
    },
  };
  return new Proxy(inner as FaultyCatalog, {
    get(target, property) {
      if (property === "calls") return calls;
      if (property in overrides) return overrides[property as keyof FaultyCatalog];
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function run(fault: Fault, call: () => Promise<LoadedTable>): Promise<LoadedTable> {
  switch (fault) {
    case "ok":
      return call();
    case "fail-before":
      throw new LakeError("unavailable", "connection refused");
    case "lost":
    case "late":
      throw new LakeError("unknown_outcome", "no answer within 1000 ms");
    case "fail-after":
      await call();
      throw new LakeError("unknown_outcome", "the connection failed (ECONNRESET)");
    case "refuse":
      throw new LakeError("conflict", "Commit failed: Requirement failed");
    default:
      return fault(call);
  }
}
