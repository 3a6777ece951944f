// Makes a package of one of the libs that stand alone, as npm would publish it: JavaScript and declarations of its
// sources, and a package.json with the npm packages that these import, in the versions of this repository.
// Usage: node tools/pack-lib.mjs lake FOLDER
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, resolve } from "node:path";
import { helpIfAsked } from "./script-options.mjs";

const root = join(import.meta.dirname, "..");
helpIfAsked();
const [lib, to] = process.argv.slice(2);
if (lib === undefined || to === undefined) {
  console.error("usage: node tools/pack-lib.mjs LIB FOLDER");
  process.exit(2);
}
const source = join(root, "libs", lib);
const folder = resolve(to);
const { name, version, exports } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
const { dependencies, devDependencies, license, engines } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

/** What outsiders import, without the suites that only tests of a port run. */
const entries = Object.entries(exports).filter(([entry]) => !entry.endsWith("-contract"));

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
emit();
const imported = packagesOf(join(folder, "dist"));
const ours = imported.filter((one) => one.startsWith("@firn/"));
if (ours.length > 0) throw new Error(`${name} does not stand alone: it imports ${ours.join(", ")}`);
writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
cpSync(join(source, "README.md"), join(folder, "README.md"));
cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));

function emit() {
  const config = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: false,
      allowImportingTsExtensions: false,
      rewriteRelativeImportExtensions: true,
      declaration: true,
      rootDir: join(source, "src"),
      outDir: join(folder, "dist"),
      typeRoots: [join(root, "node_modules", "@types")],
    },
    files: entries.map(([, path]) => join(source, path)),
  };
  const path = join(folder, "tsconfig.json");
  writeFileSync(path, JSON.stringify(config));
  execFileSync(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", path], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  rmSync(path);
}

/** The npm packages that the files of a folder import. */
function packagesOf(at) {
  const found = new Set();
  for (const file of readdirSync(at, { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(file)) continue;
    for (const [, specifier] of readFileSync(join(at, file), "utf8").matchAll(/(?:from|import\()\s*"([^".][^"]*)"/g)) {
      if (specifier.startsWith("node:") || builtinModules.includes(specifier)) continue;
      found.add(
        specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/"),
      );
    }
  }
  return [...found].sort();
}

function manifest() {
  const versionOf = (one) => {
    const found = dependencies[one] ?? devDependencies[one];
    if (found === undefined) throw new Error(`${name} imports ${one}, which package.json does not name`);
    return found;
  };
  const built = (path) => path.replace("./src/", "./dist/").replace(/\.ts$/, "");
  return {
    name,
    version,
    license,
    type: "module",
    engines,
    exports: Object.fromEntries(
      entries.map(([entry, path]) => [entry, { types: `${built(path)}.d.ts`, default: `${built(path)}.js` }]),
    ),
    dependencies: Object.fromEntries(imported.map((one) => [one, versionOf(one)])),
  };
}
