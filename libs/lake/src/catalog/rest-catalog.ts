import { LakeError, isLakeError } from "../lake-error.ts";
import { arrayAt, objectAt, optionalAt, stringAt, stringMapAt } from "../metadata/json-shape.ts";
import { tableMetadataAt } from "../metadata/parse-table-metadata.ts";
import { highestFieldId } from "../metadata/schema.ts";
import type { TableUpdate } from "../metadata/updates.ts";
import {
  tableName,
  type Catalog,
  type CatalogConfig,
  type CreateTableRequest,
  type LoadTableOptions,
  type LoadedTable,
  type Namespace,
  type NamespacePropertiesChange,
  type NamespacePropertiesChanged,
  type TableCommit,
  type TableIdentifier,
} from "./catalog.ts";
import { openRestSession, requireEndpoint, type RestSession, type RestSessionOptions } from "./rest-session.ts";
import type { RestAnswer, RestCall } from "./rest-transport.ts";
import { uuidV7 } from "./uuid-v7.ts";
import { storageCredentialsOf, type StorageCredential, type VendedCredentials } from "./vended-credentials.ts";

export interface RestCatalogOptions extends RestSessionOptions {
  /** Takes what the catalog vends with tables, and asks for it again before it ends. */
  readonly vended?: VendedCredentials;
}

const PAGES_MAX = 10_000;
const FIRST_PARTITION_FIELD_ID = 1000;
const NAMESPACE_ENDPOINT = "/v1/{prefix}/namespaces/{namespace}";
const TABLE_ENDPOINT = "/v1/{prefix}/namespaces/{namespace}/tables/{table}";

/** A catalog behind the Iceberg REST protocol. `/v1/config` is asked at the first call, and again while it fails. */
export class RestCatalog implements Catalog {
  readonly #options: RestCatalogOptions;
  #session: Promise<RestSession> | undefined;

  constructor(options: RestCatalogOptions) {
    this.#options = options;
    options.vended?.renewBy((identifier) => this.loadCredentials(identifier));
  }

  async config(): Promise<CatalogConfig> {
    return (await this.#open()).config;
  }

  async listNamespaces(parent: Namespace = []): Promise<Namespace[]> {
    const separator = decodeURIComponent((await this.#open()).separator);
    const query = parent.length === 0 ? {} : { parent: parent.join(separator) };
    const rows = await this.#listPages("namespaces", query, "namespaces");
    return rows.map((row, index) => arrayAt(row, `namespaces[${index}]`).map((level) => stringAt(level, "namespaces")));
  }

  async createNamespace(namespace: Namespace, properties: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#call({ method: "POST", path: "namespaces", purpose: "change", body: { namespace, properties } });
  }

  async namespaceExists(namespace: Namespace): Promise<boolean> {
    return this.#exists(await this.#namespacePath(namespace), NAMESPACE_ENDPOINT);
  }

  async loadNamespace(namespace: Namespace): Promise<Record<string, string>> {
    const path = await this.#namespacePath(namespace);
    const body = objectAt((await this.#call({ method: "GET", path, purpose: "read" })).body, "");
    return { ...optionalAt(body["properties"], "properties", stringMapAt) };
  }

  async updateNamespaceProperties(
    namespace: Namespace,
    change: NamespacePropertiesChange,
  ): Promise<NamespacePropertiesChanged> {
    const path = `${await this.#namespacePath(namespace)}/properties`;
    const body = { updates: change.updates ?? {}, removals: change.removals ?? [] };
    const answer = objectAt((await this.#call({ method: "POST", path, purpose: "change", body })).body, "");
    const names = (key: string): string[] => arrayAt(answer[key] ?? [], key).map((name) => stringAt(name, key));
    return { updated: names("updated"), removed: names("removed"), missing: names("missing") };
  }

  async dropNamespace(namespace: Namespace): Promise<void> {
    await this.#call({ method: "DELETE", path: await this.#namespacePath(namespace), purpose: "change" });
  }

  async listTables(namespace: Namespace): Promise<TableIdentifier[]> {
    const rows = await this.#listPages(`${await this.#namespacePath(namespace)}/tables`, {}, "identifiers");
    return rows.map((row, index) => {
      const identifier = objectAt(row, `identifiers[${index}]`);
      const levels = arrayAt(identifier["namespace"], `identifiers[${index}].namespace`);
      return {
        namespace: levels.map((level) => stringAt(level, "namespace")),
        name: stringAt(identifier["name"], "name"),
      };
    });
  }

  async createTable(identifier: TableIdentifier, request: CreateTableRequest): Promise<LoadedTable> {
    const path = `${await this.#namespacePath(identifier.namespace)}/tables`;
    const body = {
      name: identifier.name,
      schema: { "schema-id": 0, ...request.schema },
      ...(request.partitionSpec === undefined ? {} : { "partition-spec": numberedSpec(request.partitionSpec) }),
      ...(request.sortOrder === undefined ? {} : { "write-order": writeOrder(request.sortOrder) }),
      ...(request.location === undefined ? {} : { location: request.location }),
      // The default by the specification; Nessie 0.99 wants it said.
      "stage-create": false,
      properties: request.properties ?? {},
    };
    return this.#taken(identifier, await this.#call({ method: "POST", path, purpose: "change", body }));
  }

  async registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable> {
    requireEndpoint(await this.#open(), `POST ${NAMESPACE_ENDPOINT}/register`);
    const path = `${await this.#namespacePath(identifier.namespace)}/register`;
    const body = { name: identifier.name, "metadata-location": metadataLocation };
    return this.#taken(identifier, await this.#call({ method: "POST", path, purpose: "change", body }));
  }

  async loadTable(identifier: TableIdentifier): Promise<LoadedTable>;
  async loadTable(identifier: TableIdentifier, options: LoadTableOptions): Promise<LoadedTable | "unchanged">;
  async loadTable(identifier: TableIdentifier, options: LoadTableOptions = {}): Promise<LoadedTable | "unchanged"> {
    const answer = await this.#call({
      method: "GET",
      path: await this.#tablePath(identifier),
      query: { snapshots: options.snapshots },
      purpose: "read",
      ...(options.ifNoneMatch === undefined ? {} : { headers: { "if-none-match": options.ifNoneMatch } }),
      accept: [304],
    });
    return answer.status === 304 ? "unchanged" : this.#taken(identifier, answer);
  }

  /** Credentials for the table's files, anew. Catalogs without an endpoint for them give them with the table. */
  async loadCredentials(identifier: TableIdentifier): Promise<readonly StorageCredential[]> {
    const { config } = await this.#open();
    const path = await this.#tablePath(identifier);
    const own = config.endpoints?.includes(`GET ${TABLE_ENDPOINT}/credentials`) === true;
    const call: RestCall = own
      ? { method: "GET", path: `${path}/credentials`, purpose: "read" }
      : { method: "GET", path, query: { snapshots: "refs" }, purpose: "read" };
    const answer = await this.#call(call);
    const location = own ? undefined : loadedTable(answer).metadata.location;
    return storageCredentialsOf(objectAt(answer.body, ""), location);
  }

  async tableExists(identifier: TableIdentifier): Promise<boolean> {
    return this.#exists(await this.#tablePath(identifier), TABLE_ENDPOINT);
  }

  async dropTable(identifier: TableIdentifier, options: { readonly purge?: boolean } = {}): Promise<void> {
    const query = { purgeRequested: options.purge === true ? "true" : "false" };
    await this.#call({ method: "DELETE", path: await this.#tablePath(identifier), query, purpose: "change" });
  }

  async renameTable(from: TableIdentifier, to: TableIdentifier): Promise<void> {
    await this.#call({
      method: "POST",
      path: "tables/rename",
      purpose: "change",
      body: { source: from, destination: to },
    });
  }

  async commitTable(identifier: TableIdentifier, commit: TableCommit): Promise<LoadedTable> {
    const answer = await this.#call({
      method: "POST",
      path: await this.#tablePath(identifier),
      purpose: "commit",
      body: { requirements: commit.requirements, updates: commit.updates.map(withLastColumnId) },
      headers: { "idempotency-key": commit.idempotencyKey ?? uuidV7() },
    });
    try {
      return this.#taken(identifier, answer);
    } catch (cause) {
      throw new LakeError("unknown_outcome", `the answer to the commit of ${tableName(identifier)} is not readable`, {
        cause,
      });
    }
  }

  async commitTransaction(commits: readonly (TableCommit & { readonly identifier: TableIdentifier })[]): Promise<void> {
    requireEndpoint(await this.#open(), "POST /v1/{prefix}/transactions/commit");
    const changes = commits.map(({ identifier, requirements, updates }) => ({
      identifier,
      requirements,
      updates: updates.map(withLastColumnId),
    }));
    await this.#call({
      method: "POST",
      path: "transactions/commit",
      purpose: "commit",
      body: { "table-changes": changes },
      headers: { "idempotency-key": commits[0]?.idempotencyKey ?? uuidV7() },
    });
  }

  #open(): Promise<RestSession> {
    this.#session ??= openRestSession(this.#options).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  /** Paths here are below the prefix. */
  async #call(call: RestCall): Promise<RestAnswer> {
    return (await this.#open()).call(call);
  }

  /** A catalog that has no HEAD is asked for the whole. */
  async #exists(path: string, endpoint: string): Promise<boolean> {
    const method = (await this.#open()).offers(`HEAD ${endpoint}`) ? "HEAD" : "GET";
    return (await this.#call({ method, path, purpose: "read", accept: [404] })).status !== 404;
  }

  #taken(identifier: TableIdentifier, answer: RestAnswer): LoadedTable {
    const loaded = loadedTable(answer);
    const { vended } = this.#options;
    vended?.take(identifier, storageCredentialsOf(objectAt(answer.body, ""), loaded.metadata.location));
    return loaded;
  }

  async #namespacePath(namespace: Namespace): Promise<string> {
    if (namespace.length === 0) throw new LakeError("invalid", "namespace: must have at least one level");
    const { separator } = await this.#open();
    return `namespaces/${namespace.map(encodeURIComponent).join(separator)}`;
  }

  async #tablePath(identifier: TableIdentifier): Promise<string> {
    return `${await this.#namespacePath(identifier.namespace)}/tables/${encodeURIComponent(identifier.name)}`;
  }

  /** All pages of a listing; catalogs that do not page answer with one. */
  async #listPages(path: string, query: Record<string, string>, key: string): Promise<unknown[]> {
    const rows: unknown[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const call: RestCall = { method: "GET", path, query: { ...query, pageToken }, purpose: "read" };
      const body = objectAt((await this.#call(call)).body, "");
      rows.push(...arrayAt(body[key], key));
      pageToken = optionalAt(body["next-page-token"], "next-page-token", stringAt);
      if (pageToken === undefined || pageToken === "") return rows;
    }
    throw new LakeError("corrupt", `${path}: more than ${PAGES_MAX} pages`);
  }
}

/** @throws LakeError `corrupt` when the answer is not what the protocol says */
function loadedTable(answer: RestAnswer): LoadedTable {
  try {
    const body = objectAt(answer.body, "");
    return {
      metadata: tableMetadataAt(body["metadata"], "metadata"),
      metadataLocation: stringAt(body["metadata-location"], "metadata-location"),
      config: optionalAt(body["config"], "config", stringMapAt) ?? {},
      ...(answer.etag === undefined ? {} : { etag: answer.etag }),
    };
  } catch (cause) {
    if (!isLakeError(cause, "invalid")) throw cause;
    throw new LakeError("corrupt", `the catalog's answer is broken: ${cause.message}`, { cause });
  }
}

/** The specification leaves out field ids as it likes; Java sends them, and Nessie 0.99 refuses a spec without them. */
function numberedSpec(spec: NonNullable<CreateTableRequest["partitionSpec"]>): unknown {
  const fields = spec.fields.map((field, index) => ({ "field-id": FIRST_PARTITION_FIELD_ID + index, ...field }));
  return { "spec-id": 0, ...spec, fields };
}

/** Unsorted is order 0; anything else is numbered by the catalog, and 1 is what Java sends. */
function writeOrder(order: NonNullable<CreateTableRequest["sortOrder"]>): unknown {
  return { "order-id": order.fields.length === 0 ? 0 : 1, ...order };
}

function withLastColumnId(update: TableUpdate): TableUpdate {
  if (update.action !== "add-schema" || update["last-column-id"] !== undefined) return update;
  return { ...update, "last-column-id": highestFieldId(update.schema) };
}
