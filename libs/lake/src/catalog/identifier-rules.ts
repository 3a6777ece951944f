import { LakeError } from "../lake-error.ts";
import { tableName, type Namespace, type TableIdentifier } from "./catalog.ts";

/**
 * Names that a catalog of ours takes. The stored form of a namespace joins its levels with dots (JdbcCatalog layout),
 * so a level holds none, and folders are made from names, so none of them may climb.
 */

const NAME_CHARS_MAX = 255;
const CONTROL = /[\u0000-\u001f\u007f]/;

/** @throws LakeError `invalid` for a namespace without levels, or with a level that no catalog takes */
export function checkNamespace(namespace: Namespace): void {
  if (namespace.length === 0) throw invalid("namespace", "must have at least one level");
  for (const level of namespace) {
    checkName("namespace", level);
    if (level.includes(".")) throw invalid("namespace", `a level must not hold a dot: ${JSON.stringify(level)}`);
  }
}

/** @throws LakeError `invalid` for a name that no catalog takes */
export function checkIdentifier(identifier: TableIdentifier): void {
  checkNamespace(identifier.namespace);
  checkName("name", identifier.name);
}

function checkName(field: string, name: string): void {
  if (name === "") throw invalid(field, "must not be empty");
  if (name.length > NAME_CHARS_MAX) throw invalid(field, `must not be longer than ${NAME_CHARS_MAX} characters`);
  if (CONTROL.test(name)) throw invalid(field, "must not hold control characters");
  if (name === "." || name === ".." || /[/\\]/.test(name)) {
    throw invalid(field, `must not be . or .. and not hold a slash: ${JSON.stringify(name)}`);
  }
}

function invalid(field: string, rule: string): LakeError {
  return new LakeError("invalid", `${field}: ${rule}`, { context: { field } });
}

/** `a.b`, as error texts and the stored form write it. */
export function namespaceText(namespace: Namespace): string {
  return namespace.join(".");
}

/** Table folders under the warehouse: ASCII names as they are, everything else made safe for every store and engine. */
export function tableFolder(namespaceFolder: string, name: string, suffix?: string): string {
  const safe = name.replace(/[^A-Za-z0-9_.-]/g, "_");
  const distinct = suffix === undefined ? "" : `-${suffix}`;
  return `${namespaceFolder}/${safe}${distinct}`;
}

/** Where the tables of a namespace lie by default: one folder a level. */
export function namespaceFolder(warehouse: string, namespace: Namespace): string {
  return [warehouse.replace(/\/+$/, ""), ...namespace.map((level) => level.replace(/[^A-Za-z0-9_-]/g, "_"))].join("/");
}

/** Failures in the words that clients and Apache's compatibility kit compare (Java's catalogs). */
export const catalogFailure = {
  noNamespace: (namespace: Namespace) =>
    new LakeError("not_found", `Namespace does not exist: ${namespaceText(namespace)}`, {
      context: { missing: "namespace" },
    }),
  namespaceExists: (namespace: Namespace) =>
    new LakeError("already_exists", `Namespace already exists: ${namespaceText(namespace)}`),
  namespaceNotEmpty: (namespace: Namespace, what: string) =>
    new LakeError("conflict", `Namespace ${namespaceText(namespace)} is not empty. ${what}`, {
      context: { reason: "namespace_not_empty" },
    }),
  noTable: (identifier: TableIdentifier) =>
    new LakeError("not_found", `Table does not exist: ${tableName(identifier)}`, {
      context: { missing: "table" },
    }),
  tableExists: (identifier: TableIdentifier) =>
    new LakeError("already_exists", `Table already exists: ${tableName(identifier)}`),
  noView: (identifier: TableIdentifier) =>
    new LakeError("not_found", `View does not exist: ${tableName(identifier)}`, { context: { missing: "view" } }),
  viewExists: (identifier: TableIdentifier) =>
    new LakeError("already_exists", `View already exists: ${tableName(identifier)}`),
  /** Tables and views share one space of names. */
  nameTaken: (identifier: TableIdentifier, by: "table" | "view") =>
    new LakeError("already_exists", `${capitalised(by)} with same name already exists: ${tableName(identifier)}`),
  renameTaken: (from: TableIdentifier, to: TableIdentifier, by: "table" | "view") =>
    new LakeError(
      "already_exists",
      `Cannot rename ${tableName(from)} to ${tableName(to)}. ${capitalised(by)} already exists: ${tableName(to)}`,
    ),
};

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
