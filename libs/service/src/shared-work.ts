import type { HealthCheck } from "./health.ts";
import { memberName, shareMetrics } from "./member.ts";
import type { ServiceContext, Stage } from "./service.ts";
import { untilPossible } from "./until-possible.ts";

/** Who this process is among those that share the work; what UnitShare of @firn/stream asks for. */
export interface Membership {
  readonly member: string;
  readonly leaseMs: number;
  /** Hears of each change of what this process does, and of who is there. */
  changed(held: readonly string[], members: readonly string[]): void;
}

/** Work that can begin: everything it needs is open. */
export interface OpenedWork {
  /** Says which units fall to this process, until the signal. */
  readonly share: { run(signal: AbortSignal, work: OpenedWork["work"]): Promise<void> };
  /** Does one unit until the signal. */
  work(unit: string, signal: AbortSignal): Promise<void>;
  /** Of the service's readiness, from now on. */
  readonly checks?: Readonly<Record<string, HealthCheck>>;
  close(): Promise<void>;
}

/**
 * A stage whose units (shards, lanes, tables) the processes of a service share: it is opened as soon as what it needs is
 * there, does what falls to it, and is closed when all of that has drained.
 */
export class SharedWork implements Stage {
  readonly #context: Pick<ServiceContext<unknown>, "log" | "health">;
  readonly #open: (signal: AbortSignal, membership: Membership) => Promise<OpenedWork>;
  readonly #membership: Membership;
  #notReady: string | undefined = "starting";

  /** @param open tried again until it succeeds; a failure that no other try gets over ends the process */
  constructor(
    context: ServiceContext<{ readonly member: string | undefined; readonly leaseMs: number }>,
    open: (signal: AbortSignal, membership: Membership) => Promise<OpenedWork>,
  ) {
    const { settings, metrics, log } = context;
    this.#context = context;
    this.#open = open;
    this.#membership = {
      member: memberName(settings),
      leaseMs: settings.leaseMs,
      changed: shareMetrics(metrics, log),
    };
  }

  /** Why it does not work yet; undefined when it does, be it nothing that falls to it. */
  whyNotReady(): string | undefined {
    return this.#notReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, health } = this.#context;
    const opened = await untilPossible(signal, log, () => this.#open(signal, this.#membership));
    if (opened === undefined) return;
    this.#notReady = undefined;
    for (const [name, check] of Object.entries(opened.checks ?? {})) health.addCheck(name, check);
    try {
      await opened.share.run(signal, (unit, ending) => opened.work(unit, ending));
    } finally {
      await opened.close();
    }
  }
}

/** What `work` makes of a resource and keeps open; where it fails the resource is closed. */
export async function closedOnFailure<R extends { close(): Promise<void> }, T>(
  resource: R,
  work: (resource: R) => Promise<T>,
): Promise<T> {
  try {
    return await work(resource);
  } catch (error) {
    await resource.close();
    throw error;
  }
}
