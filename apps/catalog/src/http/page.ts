import { shapeError } from "@firn/lake";

export interface Page<T> {
  readonly rows: readonly T[];
  readonly nextPageToken: string | null;
}

const PAGE_ROWS_MAX = 10_000;

/**
 * One page of a listing sorted by `nameOf`. Without a `pageToken` parameter a client knows no paging and gets all rows
 * (REST specification, "Pagination"). The token names the last row of the page before, so it survives changes between.
 */
export function pageOf<T>(
  rows: readonly T[],
  nameOf: (row: T) => string,
  query: { readonly pageToken?: string | undefined; readonly pageSize?: string | undefined },
): Page<T> {
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
