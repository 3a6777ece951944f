import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const text = readFileSync(join(root, "docs", "formats.md"), "utf8");
const named = [...text.matchAll(/`((?:apps|libs|e2e|tools)\/[^`]+)`/g)].map((match) => match[1]!);

test("every golden file and test that docs/formats.md names is there", () => {
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("every golden file of a stored or sent shape is named in docs/formats.md, and read by a test", () => {
  // Help texts and tables of other engines are golden files of another kind.
  const files = execFileSync("git", ["ls-files", "*/test/golden/*"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .filter((path) => !/\.help\.txt$|\/golden\/(spark|pyiceberg-tables)/.test(path));
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((path) => !named.some((name) => path === name || path.startsWith(`${name}/`)))).toEqual([]);
  const tests = execFileSync("git", ["grep", "-l", "golden", "--", "*.test.ts"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  const unread = named
    .filter((path) => path.includes("/golden/"))
    .filter(
      (path) =>
        !tests.includes(
          path
            .split("/")
            .at(-1)!
            .replace(/\.sql$/, ""),
        ),
    );
  expect(unread).toEqual([]);
});
