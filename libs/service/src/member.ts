/** What a process of a service needs to share work with others of it: a name, a lease, and metrics of who does what. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { Setting } from "./settings.ts";

/** Of services whose processes share work. */
export const memberSettings = {
  member: {
    env: "FIRN_MEMBER",
    type: "string",
    check: (text) => (/^[\w-]{1,80}$/.test(text) ? undefined : "must be 1 to 80 letters, digits, - and _"),
    help: "Name of this process among those of its service, the same after a restart; else host and port.",
  },
  leaseMs: {
    env: "FIRN_LEASE_MS",
    type: "int",
    default: 5_000,
    min: 500,
    max: 600_000,
    help: "Milliseconds after which the work of a process that fell silent goes to others of its service.",
  },
} as const satisfies Record<string, Setting>;

/** A free port is another one at each start: such a process has no name that outlives it. */
export function memberName({ member, port }: { readonly member: string | undefined; readonly port: number }): string {
  if (member !== undefined) return member;
  const last = port === 0 ? randomUUID().slice(0, 8) : String(port);
  return `${hostname().slice(-60)}-${last}`.replaceAll(/[^\w-]/g, "_");
}

/** Hears of each change of what this process does, and of who is there. */
export function shareMetrics(
  metrics: Metrics,
  logger: Logger,
): (held: readonly string[], members: readonly string[]) => void {
  const units = metrics.gauge({
    name: "share_units",
    help: "Units of work (shards, lanes, tables) that this process does now.",
  });
  const there = metrics.gauge({ name: "share_members", help: "Processes of this service that share its work." });
  return (held, members) => {
    units.set(held.length);
    there.set(members.length);
    logger.info("share of the work", { units: [...held].sort().join(" "), members: members.join(" ") });
  };
}
