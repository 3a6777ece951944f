import type { FastifyReply } from "fastify";
import { shapeError, type Namespace } from "@firn/lake";
import { answerJson } from "./json-answer.ts";

export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextPageToken: string | null;
}

const PAGE_ROWS_MAX = 10_000;

interface PageQuery {
  readonly pageToken?: string | undefined;
  readonly pageSize?: string | undefined;
}

/** `ListTablesResponse`, of tables or views. */
export function answerIdentifiers(
  reply: FastifyReply,
  namespace: Namespace,
  names: readonly string[],
  query: PageQuery,
): void {
  const page = pageOf(names, (name) => name, query);
  const identifiers = page.rows.map((name) => ({ namespace, name }));
  answerJson(reply, { identifiers, "next-page-token": page.nextPageToken });
}

/**
 * One page of a listing sorted by `nameOf`. Without a `pageToken` parameter a client knows no paging and gets all rows
 * (REST specification, "Pagination"). The token names the last row of the page before, so it survives changes between.
 */
export function pageOf<T>(rows: readonly T[], nameOf: (row: T) => string, query: PageQuery): Page<T> {
  if (query.pageToken === undefined && query.pageSize === undefined) return { rows, nextPageToken: null };
  const size = query.pageSize === undefined ? PAGE_ROWS_MAX : Number(query.pageSize);
  if (!Number.isInteger(size) || size < 1) throw shapeError("pageSize", "must be a positive whole number");
  const after = tokenName(query.pageToken ?? "");
  const sorted = [...rows].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  const from = after === undefined ? 0 : sorted.findIndex((row) => nameOf(row) > after);
  const page = from === -1 ? [] : sorted.slice(from, from + Math.min(size, PAGE_ROWS_MAX));
  const last = page.at(-1);
  const more = last !== undefined && from + page.length < sorted.length;
  return { rows: page, nextPageToken: more ? Buffer.from(nameOf(last), "utf8").toString("base64url") : null };
}

function tokenName(token: string): string | undefined {
  return token === "" ? undefined : Buffer.from(token, "base64url").toString("utf8");
}
