import {
  catalogFailure,
  checkNamespace,
  namespaceFolder,
  namespaceText,
  type Namespace,
  type NamespacePropertiesChange,
  type NamespacePropertiesChanged,
} from "@firn/lake";
import type { CatalogDatabase } from "./database/catalog-database.ts";
import { checkLocation } from "./metadata/warehouse-rules.ts";

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

  /**
   * Its properties, and where its tables go unless `location` says otherwise, as JdbcCatalog answers: without it Trino
   * asks for a table before it has looked whether its folder is empty, and then refuses the table that it made.
   */
  async load(namespace: Namespace): Promise<Record<string, string>> {
    const properties = await this.#database.loadNamespace(namespaceText(namespace));
    if (properties === undefined) throw catalogFailure.noNamespace(namespace);
    return { location: namespaceFolder(this.#warehouse, namespace), ...properties };
  }

  async update(namespace: Namespace, change: NamespacePropertiesChange): Promise<NamespacePropertiesChanged> {
    this.#checkLocation(change.updates ?? {});
    const changed = await this.#database.updateNamespace(namespaceText(namespace), change);
    if (changed === undefined) throw catalogFailure.noNamespace(namespace);
    return changed;
  }

  async drop(namespace: Namespace): Promise<void> {
    const result = await this.#database.dropNamespace(namespaceText(namespace));
    if (result.kind === "missing") throw catalogFailure.noNamespace(namespace);
    if (result.kind !== "not_empty") return;
    const { tables, views, children } = result;
    const [count, what] = tables > 0 ? [tables, "tables"] : views > 0 ? [views, "views"] : [children, "namespaces"];
    throw catalogFailure.namespaceNotEmpty(namespace, `${count} ${what} exist.`);
  }

  #checkLocation(properties: Readonly<Record<string, string>>): void {
    const location = Object.hasOwn(properties, "location") ? properties["location"] : undefined;
    if (location !== undefined) checkLocation(this.#warehouse, location, "properties.location");
  }
}
