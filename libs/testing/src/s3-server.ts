import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { ensureVersitygw, ensureWeed } from "../../../tools/foreign-servers.mjs";
import { Child } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./wait-for.ts";

export type S3ServerKind = "seaweedfs" | "versitygw";

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const ACCESS_KEY = "firn-test-key";
const SECRET_KEY = "firn-test-secret";

export interface S3ServerOptions {
  readonly kind: S3ServerKind;
  /** Where objects lie; the same folder again starts with the same objects. */
  readonly dir: string;
  /** SeaweedFS only: a bucket for tables of its Iceberg catalog. */
  readonly tableBucket?: string;
}

export interface S3Server {
  readonly kind: S3ServerKind;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** SeaweedFS's Iceberg REST catalog, without `/v1`. */
  readonly catalogUri: string | undefined;
  /** Of the process that runs now; changes with each restart. */
  readonly pid: number;
  log(): string;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and folder; one that still runs is killed first. */
  restart(): Promise<void>;
}

/** Starts an S3 server on loopback and waits until it answers. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { kind, dir } = options;
  await mkdir(dir, { recursive: true });
  const ports = await portsOf(kind);
  let child = await launch(options, ports);
  return {
    kind,
    endpoint: `http://127.0.0.1:${ports.s3}`,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    catalogUri: kind === "seaweedfs" ? `http://127.0.0.1:${ports.iceberg}` : undefined,
    get pid() {
      return child.pid;
    },
    log: () => child.log,
    stop: async () => void (await child.stop(STOP_LIMIT_MS)),
    kill: async () => void (await child.kill()),
    async restart() {
      if (!child.hasExited) await child.kill();
      child = await launch(options, ports);
    },
  };
}

interface Ports {
  readonly s3: number;
  readonly iceberg: number;
  readonly master: number;
  readonly volume: number;
  readonly filer: number;
  readonly admin: number;
}

/** SeaweedFS listens for gRPC 10,000 above each port, so these must be below 55,536. */
async function portsOf(kind: S3ServerKind): Promise<Ports> {
  const found = new Set<number>();
  while (found.size < (kind === "seaweedfs" ? 6 : 1)) {
    const port = await freePort();
    if (kind === "versitygw") found.add(port);
    else found.add(port < 55_000 ? port : 20_000 + (port % 30_000));
  }
  const [s3 = 0, iceberg = 0, master = 0, volume = 0, filer = 0, admin = 0] = found;
  return { s3, iceberg, master, volume, filer, admin };
}

async function launch(options: S3ServerOptions, ports: Ports): Promise<Child> {
  const { kind } = options;
  const child = kind === "seaweedfs" ? launchWeed(options, ports) : launchVersitygw(options, ports);
  const answers = async (): Promise<boolean> => {
    if (child.hasExited) return true;
    // Without a signature both refuse, which is an answer; SeaweedFS says 5xx while it starts.
    const { status } = await fetch(`http://127.0.0.1:${ports.s3}/`);
    return status < 500;
  };
  try {
    await waitFor(answers, { limitMs: START_LIMIT_MS, what: `the start of ${kind}` });
    child.assertAlive(kind);
    return child;
  } catch (error) {
    await child.kill();
    throw new Error(`${kind}: ${child.log.slice(-2_000)}`, { cause: error });
  }
}

/** Keys must be in its environment: without them it lets everybody do everything. */
function launchWeed({ dir, tableBucket }: S3ServerOptions, ports: Ports): Child {
  const flags = [
    ...[`-dir=${dir}`, "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-webdav=false", "-admin.ui=false"],
    ...[`-s3.port=${ports.s3}`, `-s3.port.iceberg=${ports.iceberg}`, "-s3.port.lance=0", "-s3.autoCreateBucket=false"],
    ...[`-master.port=${ports.master}`, `-volume.port=${ports.volume}`, `-filer.port=${ports.filer}`],
    `-admin.port=${ports.admin}`,
    ...(tableBucket === undefined ? [] : [`-tableBucket=${tableBucket}`]),
  ];
  return new Child(ensureWeed(), ["-logtostderr=true", "mini", ...flags], {
    cwd: dir,
    env: { ...process.env, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function launchVersitygw({ dir }: S3ServerOptions, ports: Ports): Child {
  const binary = ensureVersitygw();
  if (binary === undefined) throw new Error("versitygw needs Go to be compiled, or VERSITYGW_BIN");
  return new Child(binary, ["--port", `127.0.0.1:${ports.s3}`, "posix", join(dir)], {
    env: { ...process.env, ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: SECRET_KEY },
    stdio: ["ignore", "pipe", "pipe"],
  });
}
