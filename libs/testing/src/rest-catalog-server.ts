import { join } from "node:path";
import { ensureIcebergFixture, ensureNessie } from "../../../tools/foreign-servers.mjs";
import { Child } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./wait-for.ts";

const START_LIMIT_MS = 90_000;
const STOP_LIMIT_MS = 10_000;
const HEAP = "-Xmx512m";

export interface RestCatalogServerOptions {
  readonly kind: "apache-fixture" | "nessie";
  /** `s3://bucket[/path]`; the fixture takes `file:///folder` too. The bucket must be there. */
  readonly warehouse: string;
  /** Where the fixture keeps its database; Nessie keeps its state in memory. */
  readonly dir: string;
  /** Where the warehouse lies, if it is on S3. */
  readonly s3?: { readonly endpoint: string; readonly accessKey: string; readonly secretKey: string };
}

export interface RestCatalogServer {
  /** Without `/v1`. */
  readonly uri: string;
  readonly pid: number;
  log(): string;
  stop(): Promise<void>;
}

/** Starts another project's Iceberg REST catalog on loopback, empty. */
export async function startRestCatalog(options: RestCatalogServerOptions): Promise<RestCatalogServer> {
  const port = await freePort();
  const { child, uri } =
    options.kind === "nessie" ? await launchNessie(options, port) : { child: launchFixture(options, port), uri: "" };
  const at = `http://127.0.0.1:${port}${uri}`;
  const answers = async (): Promise<boolean> => child.hasExited || (await fetch(`${at}/v1/config`)).ok;
  try {
    await waitFor(answers, { limitMs: START_LIMIT_MS, everyMs: 200, what: `the start of ${options.kind}` });
    child.assertAlive(options.kind);
  } catch (error) {
    await child.kill();
    throw new Error(`${options.kind}: ${child.log.slice(-2_000)}`, { cause: error });
  }
  return {
    uri: at,
    pid: child.pid,
    log: () => child.log,
    stop: async () => void (await child.stop(STOP_LIMIT_MS)),
  };
}

/** Its settings are variables: `__` is a dash, `_` a dot. */
function launchFixture({ warehouse, dir, s3 }: RestCatalogServerOptions, port: number): Child {
  const storage =
    s3 === undefined
      ? {}
      : {
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: s3.accessKey,
          AWS_SECRET_ACCESS_KEY: s3.secretKey,
          CATALOG_S3_ENDPOINT: s3.endpoint,
          CATALOG_S3_PATH__STYLE__ACCESS: "true",
          CATALOG_IO__IMPL: "org.apache.iceberg.io.ResolvingFileIO",
        };
  return new Child("java", [HEAP, "-cp", ensureIcebergFixture(), "org.apache.iceberg.rest.LocalServer"], {
    env: {
      ...process.env,
      ...storage,
      CATALOG_REST_PORT: String(port),
      CATALOG_WAREHOUSE: warehouse,
      // In memory each of its connections would have a database of its own.
      CATALOG_URI: `jdbc:sqlite:${join(dir, "catalog.db")}?busy_timeout=30000`,
      CATALOG_CLIENTS: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function launchNessie({ warehouse, s3 }: RestCatalogServerOptions, port: number) {
  const { jar, java } = ensureNessie();
  const options = "nessie.catalog.service.s3.default-options";
  const settings: Record<string, string> = {
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": String(port),
    "quarkus.management.host": "127.0.0.1",
    "quarkus.management.port": String(await freePort()),
    "nessie.version.store.type": "IN_MEMORY",
    "nessie.catalog.default-warehouse": "warehouse",
    "nessie.catalog.warehouses.warehouse.location": `${warehouse.replace(/\/+$/, "")}/`,
    [`${options}.endpoint`]: s3?.endpoint ?? "",
    [`${options}.path-style-access`]: "true",
    [`${options}.region`]: "us-east-1",
    [`${options}.access-key`]: "urn:nessie-secret:quarkus:s3",
    "s3.name": s3?.accessKey ?? "",
    "s3.secret": s3?.secretKey ?? "",
  };
  const flags = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
  const child = new Child(java, [HEAP, ...flags, "-jar", jar], { stdio: ["ignore", "pipe", "pipe"] });
  return { child, uri: "/iceberg" };
}
