import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as lake from "../src/index.ts";

/** Inside of the workspace, so that the text finds its import. */
const folder = join(import.meta.dirname, `.readme-${process.pid}`);
afterAll(() => rm(folder, { recursive: true, force: true }));

const LINES_MAX = 30;

const readme = readFile(join(import.meta.dirname, "..", "README.md"), "utf8");

test("every call that the README's table names is there", async () => {
  const rows = (await readme).split("\n").filter((line) => /^\| .* \| .*`/.test(line));
  expect(rows.length).toBeGreaterThan(10);
  const calls = rows.flatMap((row) =>
    [...row.matchAll(/`([a-z]\w{3,}|(?:Rest|Memory)Catalog)`/g)].map(([, name]) => name!),
  );
  const options = new Set(["snapshotId"]);
  expect(calls.filter((name) => !options.has(name) && !(name in lake))).toEqual([]);
});

test("the text of the README creates, appends, upserts and scans in 30 lines", async () => {
  const text = /```ts\n([\s\S]*?)```/.exec(await readme)![1]!;
  const statements = text.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("//"));
  expect(statements.length).toBeLessThanOrEqual(LINES_MAX);

  const [imported, ...body] = text.trimStart().split("\n");
  const temporary = await mkdtemp(join(tmpdir(), "firn-readme-"));
  await mkdir(folder, { recursive: true });
  const module = `${imported}\nexport async function run(warehouse: string, tempDir: string, report: (row: object) => void) {
    ${body.join("\n")}\n connection.close(); kernel.close(); return table;\n}`;
  await writeFile(join(folder, "example.ts"), module);
  try {
    const example = (await import(/* @vite-ignore */ join(folder, "example.ts"))) as {
      run(warehouse: string, tempDir: string, report: (row: object) => void): Promise<unknown>;
    };
    const rows: { id: number; text: string }[] = [];
    const report = (row: object): void => void rows.push(row as { id: number; text: string });
    await example.run(join(temporary, "warehouse"), join(temporary, "temp"), report);
    const expected = Array.from({ length: 10 }, (_, id) => ({ id, text: id === 7 ? "second" : "first" }));
    expect(rows.sort((a, b) => a.id - b.id)).toEqual(expected);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
});
