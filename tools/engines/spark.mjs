// Spark with an Iceberg REST catalog, on this machine, in one process: `const spark = await startSpark({ catalogUri })`,
// then `await spark.sql("SELECT … FROM lake.namespace.table")`, at the end `await spark.stop()`. Needs Maven and a JDK of
// 17 or newer; the jars (330 MB) are fetched once (tools/foreign-servers.mjs). About 10 s of CPU to start and 1 GB.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureSpark } from "../foreign-servers.mjs";
import { compileJava } from "./compile-java.mjs";
import { startStatementProcess } from "./statement-process.mjs";

/** What Spark asks of a JVM of 17 and newer (its own launcher's list). */
const OPENED = [
  ...["java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"],
  ...["java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs"],
  ...["sun.security.action", "sun.util.calendar"],
].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`);

/**
 * @param catalogUri of the REST catalog, without /v1; it is called `lake` in statements
 * @param catalog more properties of the catalog, e.g. {token} or {"io-impl"}
 * @param settings more settings of Spark
 * @param heap of the JVM
 * @param limitMs for the start, and for each statement; as startStatementProcess has it when not said
 */
export async function startSpark({ catalogUri, catalog = {}, settings = {}, heap = "1g", limitMs }) {
  const dir = mkdtempSync(join(tmpdir(), "firn-spark-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    const jars = join(ensureSpark(), "*");
    const classes = compileJava("spark/SparkSql.java", { jars, into: join(dir, "classes") });
    const lake = { type: "rest", uri: catalogUri, "cache-enabled": "false", ...catalog };
    const all = {
      "spark.ui.enabled": "false",
      "spark.driver.host": "127.0.0.1",
      "spark.driver.bindAddress": "127.0.0.1",
      "spark.local.dir": dir,
      "spark.sql.warehouse.dir": join(dir, "warehouse"),
      "spark.sql.shuffle.partitions": "2",
      "spark.sql.session.timeZone": "UTC",
      "spark.sql.datetime.java8API.enabled": "true",
      "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
      "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
      ...Object.fromEntries(Object.entries(lake).map(([name, value]) => [`spark.sql.catalog.lake.${name}`, value])),
      ...settings,
    };
    const args = [`-Xmx${heap}`, "-Duser.timezone=UTC", ...OPENED, "-cp", classes, "SparkSql"];
    const named = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const env = { ...process.env, SPARK_LOCAL_IP: "127.0.0.1" };
    const child = await startStatementProcess("Spark", "java", [...args, ...named], { cwd: dir, env, limitMs });
    return {
      pid: child.pid,
      sql: child.ask,
      async stop() {
        await child.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
