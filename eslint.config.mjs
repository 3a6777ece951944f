// Lint: what a reader of docs/architecture.md may rely on is checked here. The layers come from the `layer:` tags in
// each package.json; a package without one fails the lint.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import prettier from "eslint-config-prettier";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Which of our libs a layer may import. */
const MAY_IMPORT = {
  core: [],
  datasets: ["core"],
  stream: ["core"],
  lake: ["core"],
  service: ["core"],
  client: ["core", "datasets"],
  relational: ["core"],
  feeds: ["core", "client", "relational"],
  finance: ["core"],
  testing: ["core", "datasets", "stream", "lake", "service", "client", "relational", "feeds", "finance"],
  app: ["core", "datasets", "stream", "lake", "service", "client", "relational", "feeds", "finance"],
};

const LIBS = Object.keys(MAY_IMPORT).filter((layer) => layer !== "app");
const TESTS = ["**/*.test.ts", "**/test/**", "**/contract/**", "libs/testing/**", "e2e/**", "bench/**"];

const NO_NEST = {
  regex: "^@nestjs/",
  message: "Only libs/service and apps know Nest.",
};
const NO_OTHER_PACKAGE_BY_PATH = {
  regex: "^(\\.\\./)+(apps|libs)/|^(\\.\\./){2,}[a-z-]+/src/",
  message: "Import another package by its name, from its index.",
};
const NO_INSIDES = {
  regex: "^@firn/[a-z-]+/(?!(catalog|environment)$)",
  message: "Import a lib by its index, or by another entry that it has for the outside.",
};
const NO_WORLD = {
  regex: "^(node:(fs|net|http|https|dns|child_process|cluster|worker_threads|timers|os|process)|pino|zod)(/|$)",
  message: "core, datasets and finance are pure: no I/O, clock, environment or framework.",
};

export default defineConfig(
  { ignores: ["**/dist/", "**/node_modules/", ".nx/", ".firn/", ".venv/"] },
  {
    files: ["**/*.ts"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "no-var": "error",
      "prefer-const": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-lines": ["warn", { max: 400 }],
      "max-lines-per-function": ["warn", { max: 50, skipBlankLines: true, skipComments: true }],
      "no-restricted-syntax": ["error", ...readableModules()],
    },
  },
  ...packages().map(({ folder, layer }) => ({
    files: [`${folder}/src/**/*.ts`],
    ignores: TESTS,
    rules: { "no-restricted-imports": ["error", { patterns: forbiddenImports(layer) }] },
  })),
  {
    files: ["libs/core/src/**/*.ts", "libs/datasets/src/**/*.ts", "libs/finance/src/**/*.ts"],
    ignores: TESTS,
    rules: {
      "no-restricted-globals": ["error", "process", "fetch", "setTimeout", "setInterval", "setImmediate", "console"],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message: "The caller passes the time." },
        { object: "Math", property: "random", message: "The caller passes randomness." },
        { object: "performance", property: "now", message: "The caller passes the time." },
      ],
    },
  },
  { files: TESTS, rules: { "max-lines-per-function": "off" } },
  { files: ["*.config.ts"], rules: { "no-restricted-syntax": "off" } },
  prettier,
);

/** Every workspace package with its layer. */
function packages() {
  return ["libs", "apps"].flatMap((group) =>
    readdirSync(join(import.meta.dirname, group)).map((name) => {
      const folder = `${group}/${name}`;
      const { nx } = JSON.parse(readFileSync(join(import.meta.dirname, folder, "package.json"), "utf8"));
      const layer = nx?.tags?.find((tag) => tag.startsWith("layer:"))?.slice("layer:".length);
      if (!(layer in MAY_IMPORT)) throw new Error(`${folder}/package.json names no known layer`);
      return { folder, layer };
    }),
  );
}

function forbiddenImports(layer) {
  const others = LIBS.filter((lib) => lib !== layer && !MAY_IMPORT[layer].includes(lib));
  const own = LIBS.includes(layer) ? [{ regex: `^@firn/${layer}$`, message: "Inside a lib, import the file." }] : [];
  return [
    ...(others.length > 0
      ? [{ regex: `^@firn/(${others.join("|")})$`, message: `The layer ${layer} does not know it.` }]
      : []),
    { regex: "^@firn/app-", message: "Apps never import each other." },
    NO_OTHER_PACKAGE_BY_PATH,
    NO_INSIDES,
    ...own,
    ...(layer === "service" || layer === "app" ? [] : [NO_NEST]),
    ...(["core", "datasets", "finance"].includes(layer) ? [NO_WORLD] : []),
  ];
}

function readableModules() {
  return [
    { selector: "ExportAllDeclaration", message: "List the exports." },
    { selector: "TSEnumDeclaration", message: "Use a union of strings." },
    { selector: "ExportDefaultDeclaration", message: "Name the export." },
  ];
}
