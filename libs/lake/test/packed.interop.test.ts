/** The library in a project that has nothing else of Firn: packed as npm would publish it, with its README's example. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { tempFolder } from "@firn/testing";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const run = promisify(execFile);

test("another TypeScript project compiles against the packed library and runs the README's example", async () => {
  const project = await tempFolder("packed");
  const packed = join(project.path, "node_modules", "@firn", "lake");
  await run(process.execPath, [join(root, "tools", "pack-lib.mjs"), "lake", packed]);
  const { dependencies } = JSON.parse(await readFile(join(packed, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  expect(Object.keys(dependencies)).toEqual(["@aws-sdk/client-s3", "@aws-sdk/lib-storage", "@duckdb/node-api"]);
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    const place = join(project.path, "node_modules", name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(join(root, "node_modules", name), place);
  }
  await writeFile(join(project.path, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(project.path, "main.ts"), await example());
  const options = ["--module", "nodenext", "--target", "es2023", "--strict", "--types", "node"];
  await run(process.execPath, [tsc, ...options, "main.ts"], { cwd: project.path });
  const places = [join(project.path, "warehouse"), join(project.path, "temp")];
  const { stdout } = await run(process.execPath, [join(project.path, "main.js"), ...places]);
  const rows = stdout.trim().split("\n");
  expect(rows).toHaveLength(10);
  expect(rows).toContain('{"id":7,"text":"second"}');
  await project.remove();
}, 600_000);

/** The example with what its reader has around it. */
async function example(): Promise<string> {
  const readme = await readFile(join(root, "libs", "lake", "README.md"), "utf8");
  const [imported, ...body] = /```ts\n([\s\S]*?)```/.exec(readme)![1]!.trim().split("\n");
  return [
    imported,
    "const [warehouse, tempDir] = [process.argv[2]!, process.argv[3]!];",
    "const report = (row: object): void => console.log(JSON.stringify(row));",
    ...body,
    "connection.close();",
    "kernel.close();",
  ].join("\n");
}
