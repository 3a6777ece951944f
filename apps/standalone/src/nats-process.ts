import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { addressOf, type StandaloneConfig } from "./config.ts";
import type { ProcessSpec } from "./supervised-process.ts";

/**
 * The server's caches of what streams hold last ten seconds, and Go lets garbage grow as large as what lives: a backfill
 * took 1.7 GB. Half as much garbage costs it no CPU that could be measured, and takes a third less. The limit is soft;
 * one below what lives costs all the CPU there is (256 MiB: 35 CPU seconds for two million samples instead of 10).
 */
const memoryEnvironment = { GOMEMLIMIT: "512MiB", GOGC: "50" };

const READY_REQUEST_MS = 2_000;

/** The NATS server of this data directory: what it acknowledges is on disk (`sync_interval: always`). */
export function natsProcess(config: StandaloneConfig, binary: string): ProcessSpec {
  const folder = join(config.dataDir, "nats");
  mkdirSync(folder, { recursive: true });
  const configPath = join(folder, "nats-server.conf");
  writeFileSync(configPath, natsConfiguration(config, folder));
  const monitor = `http://${addressOf(config.host)}:${config.ports["nats-monitor"]}`;
  return {
    name: "nats",
    command: binary,
    args: ["-c", configPath],
    env: { ...memoryEnvironment, ...config.environment },
    cwd: folder,
    isReady: () => isHealthy(monitor),
  };
}

function natsConfiguration(config: StandaloneConfig, folder: string): string {
  return `# Written at every start by firn standalone.
server_name: firn
listen: "${config.host}:${config.ports.nats}"
http: "${config.host}:${config.ports["nats-monitor"]}"
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(folder)}
  sync_interval: always
}
`;
}

/** True when JetStream answers and syncs every write; the server drops settings that it does not know silently. */
async function isHealthy(monitor: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(READY_REQUEST_MS);
    const health = await fetch(`${monitor}/healthz`, { signal });
    if (!health.ok) return false;
    const status = (await (await fetch(`${monitor}/varz`, { signal })).json()) as {
      jetstream?: { config?: { sync_always?: boolean } };
    };
    return status.jetstream?.config?.sync_always === true;
  } catch {
    return false;
  }
}
