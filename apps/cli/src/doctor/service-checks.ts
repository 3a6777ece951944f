import { check, Finding, type Check } from "./check.ts";
import { request, type ProbeWorld } from "./probe-world.ts";

const CLOCK_MS_MAX = 5_000;
/** The Date header counts whole seconds. */
const DATE_STEP_MS = 1_000;
const ZONES_OF_BUILD = /^firn_build_info\{[^}]*\btime_zones="([^"]*)"/m;

export interface Peer {
  readonly name: string;
  readonly url: string;
}

/** Whether every service says that it is ready. */
export function checkReady(peers: readonly Peer[]): readonly Promise<Check>[] {
  return peers.map(({ name, url }) =>
    check(`service-${name}`, `Look into the log of ${name}, and start it again`, async () => {
      const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
      // A catalog of somebody else has no such path.
      if (response.ok || response.status === 404) return `ready at ${url}`;
      throw new Finding(`not ready: ${(await response.text()).slice(0, 300)}`);
    }),
  );
}

/** The clocks of all who say in an answer what time it is, against this one. Who does not answer is found elsewhere. */
export function checkClocks(peers: readonly Peer[], world: ProbeWorld): Promise<Check> {
  const fix = "Let NTP keep the clock of every machine; times of events and tokens depend on it";
  return check("clocks", fix, async () => {
    const found = await Promise.all(peers.map(async (peer) => ({ peer, aheadMs: await aheadMs(peer, world) })));
    const known = found.flatMap(({ peer, aheadMs }) => (aheadMs === undefined ? [] : [{ ...peer, aheadMs }]));
    const wrong = known.filter((each) => Math.abs(each.aheadMs) > CLOCK_MS_MAX);
    if (wrong.length > 0) {
      throw new Finding(
        wrong.map((each) => `the clock of ${each.name} is ${apart(each.aheadMs)} of this one`).join(", "),
      );
    }
    return `${known.length} clocks within ${CLOCK_MS_MAX / 1000} s`;
  });
}

async function aheadMs({ url }: Peer, world: ProbeWorld): Promise<number | undefined> {
  const startMs = world.nowMs();
  const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  const sentMs = Date.parse(response?.headers.get("date") ?? "");
  if (Number.isNaN(sentMs)) return undefined;
  return sentMs + DATE_STEP_MS / 2 - (startMs + world.nowMs()) / 2;
}

function apart(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? "ahead" : "behind"}`;
}

/** Local dates depend on the time-zone database in Node: all services, and this command, must have the same. */
export function checkTimeZones(peers: readonly Peer[]): Promise<Check> {
  return check("time-zones", "Run every service and firn on the same version of Node", async () => {
    const own = process.versions.tz;
    const found = await Promise.all(peers.map(async ({ name, url }) => ({ name, version: await zonesOf(url) })));
    const others = found.filter(({ version }) => version !== undefined && version !== own);
    if (others.length > 0) {
      const said = others.map(({ name, version }) => `${version} in ${name}`).join(", ");
      throw new Finding(`time-zone databases differ: ${own} here, ${said}`);
    }
    return `version ${own} here and in ${found.filter(({ version }) => version !== undefined).length} services`;
  });
}

async function zonesOf(url: string): Promise<string | undefined> {
  const metrics = await request(`${url}/metrics`)
    .then((response) => response.text())
    .catch(() => "");
  return ZONES_OF_BUILD.exec(metrics)?.[1];
}
