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
import { callRest, type RestAnswer, type RestCall, type RestTransportOptions } from "./rest-transport.ts";
import { uuidV7 } from "./uuid-v7.ts";

export interface RestCatalogOptions {
  /** `http://127.0.0.1:8181`, without `/v1`. */
  readonly uri: string;
  /** Sent to `/v1/config`; chooses a warehouse where the catalog has several. */
  readonly warehouse?: string;
  /** Bearer token. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Limit for one call, its answer included. Default 30 s. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 30_000;
const PAGES_MAX = 10_000;
const DEFAULT_NAMESPACE_SEPARATOR = "%1F";

interface Session {
  readonly config: CatalogConfig;
  readonly transport: RestTransportOptions;
  /** `v1/` or `v1/<prefix>/`. */
  readonly base: string;
  readonly separator: string;
}

/** A catalog behind the Iceberg REST protocol. `/v1/config` is asked at the first call, and again while it fails. */
export class RestCatalog implements Catalog {
  readonly #options: RestCatalogOptions;
  #session: Promise<Session> | undefined;

  constructor(options: RestCatalogOptions) {
    this.#options = options;
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
    const path = await this.#namespacePath(namespace);
    return (await this.#call({ method: "HEAD", path, purpose: "read", accept: [404] })).status !== 404;
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
      ...(request.partitionSpec === undefined ? {} : { "partition-spec": { "spec-id": 0, ...request.partitionSpec } }),
      ...(request.sortOrder === undefined ? {} : { "write-order": writeOrder(request.sortOrder) }),
      ...(request.location === undefined ? {} : { location: request.location }),
      properties: request.properties ?? {},
    };
    return loadedTable(await this.#call({ method: "POST", path, purpose: "change", body }));
  }

  async registerTable(identifier: TableIdentifier, metadataLocation: string): Promise<LoadedTable> {
    const path = `${await this.#namespacePath(identifier.namespace)}/register`;
    const body = { name: identifier.name, "metadata-location": metadataLocation };
    return loadedTable(await this.#call({ method: "POST", path, purpose: "change", body }));
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
    return answer.status === 304 ? "unchanged" : loadedTable(answer);
  }

  async tableExists(identifier: TableIdentifier): Promise<boolean> {
    const path = await this.#tablePath(identifier);
    return (await this.#call({ method: "HEAD", path, purpose: "read", accept: [404] })).status !== 404;
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
      return loadedTable(answer);
    } catch (cause) {
      throw new LakeError("unknown_outcome", `the answer to the commit of ${tableName(identifier)} is not readable`, {
        cause,
      });
    }
  }

  async commitTransaction(commits: readonly (TableCommit & { readonly identifier: TableIdentifier })[]): Promise<void> {
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

  #open(): Promise<Session> {
    this.#session ??= openSession(this.#options).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  /** Paths here are below the prefix. */
  async #call(call: RestCall): Promise<RestAnswer> {
    const session = await this.#open();
    return callRest(session.transport, { ...call, path: session.base + call.path });
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

async function openSession(options: RestCatalogOptions): Promise<Session> {
  const transport: RestTransportOptions = {
    uri: options.uri,
    headers: {
      ...options.headers,
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    },
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    fetch: options.fetch ?? fetch,
  };
  const query = { warehouse: options.warehouse };
  const answer = await callRest(transport, { method: "GET", path: "v1/config", query, purpose: "read" });
  const body = objectAt(answer.body, "");
  const endpoints = optionalAt(body["endpoints"], "endpoints", arrayAt)?.map((one) => stringAt(one, "endpoints"));
  const config: CatalogConfig = {
    defaults: optionalAt(body["defaults"], "defaults", stringMapAt) ?? {},
    overrides: optionalAt(body["overrides"], "overrides", stringMapAt) ?? {},
    ...(endpoints === undefined ? {} : { endpoints }),
  };
  const setting = (key: string): string | undefined => config.overrides[key] ?? config.defaults[key];
  const prefix = setting("prefix");
  return {
    config,
    transport: { ...transport, uri: config.overrides["uri"] ?? options.uri },
    base: prefix === undefined || prefix === "" ? "v1/" : `v1/${prefix.split("/").map(encodeURIComponent).join("/")}/`,
    separator: setting("namespace-separator") ?? DEFAULT_NAMESPACE_SEPARATOR,
  };
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

/** Unsorted is order 0; anything else is numbered by the catalog, and 1 is what Java sends. */
function writeOrder(order: NonNullable<CreateTableRequest["sortOrder"]>): unknown {
  return { "order-id": order.fields.length === 0 ? 0 : 1, ...order };
}

function withLastColumnId(update: TableUpdate): TableUpdate {
  if (update.action !== "add-schema" || update["last-column-id"] !== undefined) return update;
  return { ...update, "last-column-id": highestFieldId(update.schema) };
}
