// Flink with an Iceberg REST catalog, on this machine, in one process, in batch mode: as spark.mjs. The jars are 210 MB.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureFlink } from "../foreign-servers.mjs";
import { compileJava } from "./compile-java.mjs";
import { startStatementProcess } from "./statement-process.mjs";

const OPENED = ["java.lang", "java.net", "java.nio", "java.time", "java.util", "java.util.concurrent"].map(
  (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
);

/**
 * @param catalogUri of the REST catalog, without /v1; it is called `lake` in statements
 * @param heap of the JVM
 */
export async function startFlink({ catalogUri, heap = "1g" }) {
  const dir = mkdtempSync(join(tmpdir(), "firn-flink-"));
  let child;
  async function stop() {
    await child?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  try {
    const jars = join(ensureFlink(), "*");
    const classes = compileJava("flink/FlinkSql.java", { jars, into: join(dir, "classes") });
    const settings = {
      "execution.target": "local",
      "io.tmp.dirs": dir,
      "parallelism.default": "1",
      "rest.bind-address": "127.0.0.1",
      "rest.bind-port": "0",
      "table.local-time-zone": "UTC",
      "taskmanager.numberOfTaskSlots": "4",
      "table.dml-sync": "true",
    };
    const args = [`-Xmx${heap}`, "-Duser.timezone=UTC", ...OPENED, "-cp", classes, "FlinkSql"];
    const named = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    child = await startStatementProcess("Flink", "java", [...args, ...named], { cwd: dir });
    const properties = `'type'='iceberg','catalog-type'='rest','uri'='${catalogUri}','cache-enabled'='false'`;
    await child.ask(`CREATE CATALOG lake WITH (${properties})`);
    return { pid: child.pid, sql: child.ask, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
