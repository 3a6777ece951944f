import {
  catalogFailure,
  checkNamespace,
  namespaceText,
  type Namespace,
  type NamespacePropertiesChange,
  type NamespacePropertiesChanged,
} from "@firn/lake";
import type { CatalogDatabase } from "./database/catalog-database.ts";
import { checkLocation } from "./tables/warehouse-rules.ts";

/** Namespaces of the catalog and their properties. */
export class NamespaceCatalog {
  readonly #database: CatalogDatabase;
  readonly #warehouse: string;

  constructor(database: CatalogDatabase, warehouse: string) {
    this.#database = database;
    this.#warehouse = warehouse;
  }

  async list(parent: Namespace): Promise<Namespace[]> {
    if (parent.length > 0 && !(await this.exists(parent))) throw catalogFailure.noNamespace(parent);
    const names = await this.#database.listNamespaces(namespaceText(parent));
    return names.map((name) => name.split("."));
  }

  async exists(namespace: Namespace): Promise<boolean> {
    return this.#database.namespaceExists(namespaceText(namespace));
  }

  async create(namespace: Namespace, properties: Readonly<Record<string, string>>): Promise<void> {
    checkNamespace(namespace);
    this.#checkLocation(properties);
    if (!(await this.#database.createNamespace(namespaceText(namespace), properties))) {
      throw catalogFailure.namespaceExists(namespace);
    }
  }

  async load(namespace: Namespace): Promise<Record<string, string>> {
    const properties = await this.#database.loadNamespace(namespaceText(namespace));
    if (properties === undefined) throw catalogFailure.noNamespace(namespace);
    return properties;
  }

  async update(namespace: Namespace, change: NamespacePropertiesChange): Promise<NamespacePropertiesChanged> {
    this.#checkLocation(change.updates ?? {});
    const changed = await this.#database.updateNamespace(namespaceText(namespace), change);
    if (changed === undefined) throw catalogFailure.noNamespace(namespace);
    return changed;
  }

  async drop(namespace: Namespace): Promise<void> {
    const result = await this.#database.dropNamespace(namespaceText(namespace));
    if (result === "missing") throw catalogFailure.noNamespace(namespace);
    if (result === "dropped") return;
    const what = result.tables > 0 ? `${result.tables} tables exist.` : `${result.children} namespaces exist.`;
    throw catalogFailure.namespaceNotEmpty(namespace, what);
  }

  #checkLocation(properties: Readonly<Record<string, string>>): void {
    const location = Object.hasOwn(properties, "location") ? properties["location"] : undefined;
    if (location !== undefined) checkLocation(this.#warehouse, location, "properties.location");
  }
}
