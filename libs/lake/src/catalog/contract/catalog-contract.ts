import { afterEach, beforeEach, describe } from "vitest";
import type { Catalog } from "../catalog.ts";
import { commitRules } from "./commit-rules.ts";
import { evolutionRules } from "./evolution-rules.ts";
import { namespaceRules } from "./namespace-rules.ts";
import { tableRules } from "./table-rules.ts";

export interface OpenedCatalog {
  readonly catalog: Catalog;
  close(): Promise<void>;
}

/** What every catalog promises. Run it against each adapter, each time with an empty catalog. */
export function catalogContract(adapter: string, open: () => Promise<OpenedCatalog>): void {
  describe(`catalog contract: ${adapter}`, () => {
    let opened: OpenedCatalog;
    let catalog: Catalog;
    beforeEach(async () => {
      opened = await open();
      catalog = opened.catalog;
    });
    afterEach(() => opened.close());

    describe("namespaces", () => namespaceRules(() => catalog));
    describe("tables", () => tableRules(() => catalog));
    describe("commits", () => commitRules(() => catalog));
    describe("evolution", () => evolutionRules(() => catalog));
  });
}
