// What stands here for the images of others: their programs on this machine, with the arguments of the container. Their
// own configuration files get the ports of this machine.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { JVM_PROGRAMS } from "./jvm-containers.mjs";

/** Where the images of PostgreSQL keep their database. */
const DATABASE_FOLDERS = ["/data", "/var/lib/postgresql"];

/** Ports that SeaweedFS takes besides those that the compose file names; each is also taken 10000 higher for gRPC. */
const WEED_PORTS = { master: 9333, volume: 9340, filer: 8888 };

/**
 * Command, arguments, stop signal and perhaps `isReady` for an image that is not ours; undefined for ours.
 * @throws Error where its own set-up refuses the container's settings
 */
export async function foreignCommand(container, context) {
  const [, program] = /(?:^|\/)([a-z-]+):/.exec(container.image) ?? [];
  if (program === "firn") return undefined;
  if (!(program in PROGRAMS)) throw new Error(`nothing stands for ${container.image}`);
  return PROGRAMS[program](container, context);
}

const PROGRAMS = {
  ...JVM_PROGRAMS,

  async nats({ args }, { folders, local, programs }) {
    const file = args[args.indexOf("-c") + 1];
    const data = folders.find(([path]) => path === "/data")[1];
    let text = readFileSync(file, "utf8").replace('"/data"', `"${data}"`);
    for (const [found, port] of text.matchAll(/0\.0\.0\.0:(\d+)/g))
      text = text.replace(found, `127.0.0.1:${await local(Number(port))}`);
    writeFileSync(file, text);
    return { command: programs.natsServer, args };
  },

  async postgres({ env }, { folders, local, programs }) {
    const { prepareEmbeddedPostgres } = await embeddedPostgres();
    const password = env.POSTGRES_PASSWORD ?? readFileSync(env.POSTGRES_PASSWORD_FILE, "utf8").trim();
    const folder = join(folders.find(([path]) => DATABASE_FOLDERS.includes(path))[1], "server");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "password"), `${password}\n`, { mode: 0o600 });
    const { postgres: binaries } = programs;
    const server = await prepareEmbeddedPostgres({ dir: folder, port: await local(5432), durable: false, binaries });
    return { command: server.command, args: [...server.args], signal: server.stopSignal };
  },

  async seaweedfs({ args, entrypoint }, { local, programs }) {
    const ports = Object.fromEntries(
      await Promise.all(Object.entries(WEED_PORTS).map(async ([name, port]) => [name, await local(port)])),
    );
    if (entrypoint) {
      const script = args[0].replace("weed shell", `${programs.weed} shell`);
      return { command: entrypoint[0], args: [...entrypoint.slice(1), script] };
    }
    const own = [];
    for (const arg of args) {
      const [, name, port] = /^-(s3|admin)\.port=(\d+)$/.exec(arg) ?? [];
      own.push(
        name
          ? `-${name}.port=${await local(Number(port))}`
          : arg.replace(/^-ip=.*/, "-ip=127.0.0.1").replace("0.0.0.0", "127.0.0.1"),
      );
    }
    return {
      command: programs.weed,
      args: [...own, ...Object.entries(ports).map(([name, port]) => `-${name}.port=${port}`)],
    };
  },

  async prometheus({ args }, { folders, local, programs }) {
    const file = args.find((arg) => arg.startsWith("--config.file=")).split("=")[1];
    // Every second instead of every 15, or the test would take minutes.
    let text = readFileSync(file, "utf8").replaceAll(/_interval: 15s/g, "_interval: 1s");
    for (const [path, here] of folders) text = text.replaceAll(`[${path}/`, `[${here}/`);
    writeFileSync(file, text);
    return { command: programs.prometheus, args: [...args, `--web.listen-address=127.0.0.1:${await local(9090)}`] };
  },
};

/** PostgreSQL as npm brings it; the lib is TypeScript. */
async function embeddedPostgres() {
  const root = join(import.meta.dirname, "..", "..");
  const outfile = join(root, "node_modules", ".firn-scripts", "embedded-postgres.mjs");
  await build({
    entryPoints: [join(root, "libs", "relational", "src", "embedded-postgres.ts")],
    ...{ outfile, bundle: true, platform: "node", format: "esm", packages: "external", logLevel: "error" },
  });
  return import(outfile);
}

/** Makes the database that a container of PostgreSQL makes by itself (POSTGRES_DB), once the server answers. */
export function createDatabase(url) {
  const script = `import pg from "pg"; const url = new URL(process.argv[1]); const name = url.pathname.slice(1); url.pathname = "/postgres";
    for (let i = 0; ; i++) { const client = new pg.Client({ connectionString: url.href }); client.on("error", () => {});
      try { await client.connect(); await client.query('CREATE DATABASE "' + name + '"'); await client.end(); break; }
      catch (error) { await client.end().catch(() => {}); if (i > 100) throw error; await new Promise((r) => setTimeout(r, 100)); } }`;
  const root = join(import.meta.dirname, "..", "..");
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", script, url], { cwd: root, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`the database was not made: ${run.stderr.slice(-500)}`);
}
