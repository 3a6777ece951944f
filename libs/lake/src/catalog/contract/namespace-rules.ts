import { expect, it } from "vitest";
import type { Catalog } from "../catalog.ts";
import { NAMESPACE, expectFailure } from "./contract-fixture.ts";

/** Namespaces, nested or not, and their properties. */
export function namespaceRules(catalog: () => Catalog): void {
  it("creates, lists and drops namespaces, nested ones too", async () => {
    await catalog().createNamespace(NAMESPACE, { comment: "größer & more/less" });
    await catalog().createNamespace(["lake", "inner level"]);
    expect(await catalog().listNamespaces()).toEqual([["lake"]]);
    expect(await catalog().listNamespaces(["lake"])).toEqual([["lake", "inner level"]]);
    expect(await catalog().namespaceExists(["lake", "inner level"])).toBe(true);
    expect(await catalog().namespaceExists(["lake", "outer"])).toBe(false);
    expect(await catalog().loadNamespace(NAMESPACE)).toMatchObject({ comment: "größer & more/less" });
    await expectFailure(catalog().dropNamespace(NAMESPACE), "conflict", "is not empty");
    await catalog().dropNamespace(["lake", "inner level"]);
    await catalog().dropNamespace(NAMESPACE);
    expect(await catalog().namespaceExists(NAMESPACE)).toBe(false);
  });

  it("names the namespace that is missing or there already", async () => {
    await catalog().createNamespace(NAMESPACE);
    await expectFailure(catalog().createNamespace(NAMESPACE), "already_exists", "Namespace already exists: lake");
    await expectFailure(catalog().loadNamespace(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().dropNamespace(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().listTables(["none"]), "not_found", "Namespace does not exist: none");
    await expectFailure(catalog().listNamespaces(["none"]), "not_found", "Namespace does not exist: none");
  });

  it("changes namespace properties and says which were missing", async () => {
    await catalog().createNamespace(NAMESPACE, { a: "1", b: "2" });
    const changed = await catalog().updateNamespaceProperties(NAMESPACE, { updates: { c: "3" }, removals: ["a", "x"] });
    expect(changed).toEqual({ updated: ["c"], removed: ["a"], missing: ["x"] });
    const { location: _where, ...properties } = await catalog().loadNamespace(NAMESPACE); // many catalogs tell it
    expect(properties).toEqual({ b: "2", c: "3" });
    const both = catalog().updateNamespaceProperties(NAMESPACE, { updates: { b: "9" }, removals: ["b"] });
    await expectFailure(both, "invalid", "simultaneously set and remove");
  });
}
