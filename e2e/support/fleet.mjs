// Several processes of each service over one broker and one catalog: started, killed, ended in order, brought back.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = join(import.meta.dirname, "..", "..");
const readyLimitMs = 120_000;

/** In the order in which they are ended one after another: who takes things in comes first. */
export const services = ["ingest", "query", "validator", "aggregator", "catalog-writer"];

/**
 * @param lake of `startLake` with `only: ["nats", "catalog"]`
 * @param replicas processes of each service
 * @param env variables that all of them get
 */
export async function startFleet(lake, { replicas = 2, env = {} } = {}) {
  const members = services.flatMap((service) =>
    Array.from({ length: replicas }, (_, n) => new Member(lake, service, n + 1, env)),
  );
  await Promise.all(members.map((member) => member.start()));
  return {
    members,
    of: (service) => members.filter((member) => member.service === service),
    /** Addresses of those of a service that are there now, any order. */
    urls: (service) => members.filter((member) => member.service === service && member.url).map(({ url }) => url),
    stop: () => Promise.all(members.map((member) => member.end())),
  };
}

/** One process, and those that come after it under its name. */
class Member {
  #lake;
  #env;
  #child;
  #exited;
  service;
  name;
  /** Where it answers; undefined while it is away. */
  url;

  constructor(lake, service, number, env) {
    this.#lake = lake;
    this.#env = env;
    this.service = service;
    this.name = `${service}-${number}`;
  }

  /** Resolves when it is ready. */
  async start() {
    const dataDir = join(this.#lake.dir, "state", this.name);
    const { nats, catalog, warehouse } = this.#lake.endpoints;
    const own = {
      NATS_URL: nats,
      ICEBERG_CATALOG_URI: catalog,
      ICEBERG_WAREHOUSE: warehouse,
      FIRN_HOST: "127.0.0.1",
      FIRN_PORT: "0",
      FIRN_MEMBER: this.name,
      FIRN_DATA_DIR: dataDir,
    };
    mkdirSync(dataDir, { recursive: true });
    const log = createWriteStream(join(this.#lake.dir, "logs", `${this.name}.log`), { flags: "a" });
    const main = join(root, "apps", this.service, "dist", "main.js");
    const child = spawn(process.execPath, [main], {
      env: { ...process.env, ...this.#env, ...own },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#child = child;
    this.#exited = once(child, "exit").then(([code]) => {
      this.url = undefined;
      log.end();
      return code;
    });
    const ready = new Promise((resolve) => {
      child.on("message", (message) => message?.kind === "ready" && resolve(message.url));
    });
    const late = sleep(readyLimitMs, "late", { ref: false });
    const said = await Promise.race([ready, this.#exited.then(() => "ended"), late]);
    if (said === "ended" || said === "late") throw new Error(`${this.name} is not ready: ${said}; see its log`);
    this.url = said;
  }

  /** kill -9. */
  async kill() {
    this.url = undefined;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** SIGTERM; resolves with its exit code when it has drained. */
  async end() {
    this.url = undefined;
    this.#child.kill("SIGTERM");
    return this.#exited;
  }
}
