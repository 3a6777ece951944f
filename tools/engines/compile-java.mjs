// Compiles an engine's session with what all of them share (tools/engines/java): the class path to start it with.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const sources = import.meta.dirname;

/**
 * @param main below this folder
 * @param jars as a class path has them
 */
export function compileJava(main, { jars, into, javac = "javac" }) {
  const shared = readdirSync(join(sources, "java")).map((name) => join(sources, "java", name));
  const args = ["-encoding", "UTF-8", "-nowarn", "-d", into, "-cp", jars, join(sources, main), ...shared];
  const run = spawnSync(javac, args, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`javac of ${main} failed: ${run.error?.message ?? run.stderr}`);
  return [into, jars].join(delimiter);
}
