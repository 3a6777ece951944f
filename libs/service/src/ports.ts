import { createServer } from "node:net";

interface PortSetting {
  readonly env: string;
  readonly port: number;
}

/** What of a lake on this machine needs a port: the processes, and the monitoring page of the NATS server. */
const DEFAULT_PORTS = {
  ingest: { env: "FIRN_INGEST_PORT", port: 4100 },
  query: { env: "FIRN_QUERY_PORT", port: 4200 },
  validator: { env: "FIRN_VALIDATOR_PORT", port: 4301 },
  aggregator: { env: "FIRN_AGGREGATOR_PORT", port: 4302 },
  "catalog-writer": { env: "FIRN_CATALOG_WRITER_PORT", port: 4303 },
  market: { env: "FIRN_MARKET_PORT", port: 4304 },
  catalog: { env: "FIRN_CATALOG_PORT", port: 8181 },
  database: { env: "FIRN_DATABASE_PORT", port: 5442 },
  nats: { env: "FIRN_NATS_PORT", port: 4222 },
  "nats-monitor": { env: "FIRN_NATS_MONITOR_PORT", port: 8222 },
} as const satisfies Readonly<Record<string, PortSetting>>;

export type PortName = keyof typeof DEFAULT_PORTS;

/** A port that cannot be used; the message names the variable to set. */
export class PortError extends Error {
  override readonly name = "PortError";
}

export type Ports = Readonly<Record<PortName, number>>;

/** Reads the ports from the environment. @throws PortError when one is not a port or two are the same. */
export function parsePorts(environment: Readonly<Record<string, string | undefined>>): Ports {
  const ports = {} as Record<PortName, number>;
  const taken = new Map<number, string>();
  for (const [name, { env, port }] of entries()) {
    const text = environment[env];
    const value = text === undefined || text === "" ? port : Number(text);
    if (!Number.isInteger(value) || value < 1 || value > 65_535)
      throw new PortError(`${env} must be a port, 1 to 65535`);
    const other = taken.get(value);
    if (other !== undefined) throw new PortError(`${env} and ${other} are both ${value}`);
    taken.set(value, env);
    ports[name] = value;
  }
  return ports;
}

/** Free ports, all different, kept open until all are known. */
export async function freePorts(host: string): Promise<Ports> {
  const held = await Promise.all(entries().map(async ([name]) => ({ name, server: await listen(host, 0) })));
  const ports = {} as Record<PortName, number>;
  for (const { name, server } of held) {
    const address = server.address();
    if (typeof address === "object" && address !== null) ports[name] = address.port;
  }
  await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** @throws PortError when somebody else listens on one of these ports. */
export async function requireFree(ports: Ports, names: readonly PortName[], host: string): Promise<void> {
  for (const name of names) {
    const reason = await explainPort(ports[name], host);
    if (reason === undefined) continue;
    throw new PortError(`${reason}; set ${DEFAULT_PORTS[name].env} to a free port for ${name}, or pass --ports auto`);
  }
}

/** Why nobody can listen there now, or undefined. */
export async function explainPort(port: number, host: string): Promise<string | undefined> {
  try {
    const server = await listen(host, port);
    await new Promise((resolve) => server.close(resolve));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = `${host}:${port}`;
    return code === "EADDRINUSE" ? `${where} is taken by another process` : `${where} cannot be bound (${code})`;
  }
}

/** The variable that moves a port. */
export function portVariable(name: PortName): string {
  return DEFAULT_PORTS[name].env;
}

function entries(): [PortName, PortSetting][] {
  return Object.entries(DEFAULT_PORTS) as [PortName, PortSetting][];
}

function listen(host: string, port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}
