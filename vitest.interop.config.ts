import { defineConfig } from "vitest/config";

/** Tests against servers that are fetched first: `npm run test:interop` calls them. */
export default defineConfig({
  test: {
    include: ["libs/**/*.interop.test.ts", "apps/**/*.interop.test.ts", "e2e/**/*.interop.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
