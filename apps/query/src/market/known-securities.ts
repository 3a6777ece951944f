import { securitiesById, securitiesByTicker, type IsoCode, type Queryable, type Security } from "@firn/relational";
import { Problem } from "@firn/service";
import { invalidParameters } from "../parameters/invalid-parameters.ts";
import { groupBy } from "./group-by.ts";
import type { MarketCode } from "./market-tables.ts";

const ISO: Readonly<Record<MarketCode, IsoCode>> = { us: "US", kr: "KR" };

export function marketOf({ iso_code: iso }: Security): MarketCode {
  return iso === "US" ? "us" : "kr";
}

/**
 * The security of each ticker, in the order of the tickers. 404 names those that are not known, 400 `ambiguous_ticker`
 * those that both markets have when the question does not say which one.
 *
 * @param field the parameter that the tickers stand in
 */
export async function knownTickers(
  relations: Queryable,
  tickers: readonly string[],
  market: MarketCode | undefined,
  field: string,
): Promise<Security[]> {
  const rows = await securitiesByTicker(relations, tickers);
  const inMarket = rows.filter((row) => market === undefined || row.iso_code === ISO[market]);
  const byTicker = groupBy(inMarket, (row) => row.ticker);
  const ambiguous = tickers.filter((ticker) => (byTicker.get(ticker)?.length ?? 0) > 1);
  if (ambiguous.length > 0) throw ambiguousTicker(ambiguous, field);
  const unknown = tickers.filter((ticker) => !byTicker.has(ticker));
  if (unknown.length > 0) throw unknownTicker(unknown, market, field);
  return tickers.map((ticker) => byTicker.get(ticker)![0]!);
}

/** The securities of these numbers, in their order; 404 names those that there are not. */
export async function knownSecurities(
  relations: Queryable,
  metaIds: readonly number[],
  field: string,
): Promise<Security[]> {
  const byId = new Map((await securitiesById(relations, metaIds)).map((row) => [row.meta_id, row]));
  const unknown = metaIds.filter((metaId) => !byId.has(metaId));
  if (unknown.length > 0) {
    const message = `there is no security ${unknown.join(", ")}`;
    throw new Problem(404, "unknown_security", message, { errors: [{ field, rule: "known", message }] });
  }
  return metaIds.map((metaId) => byId.get(metaId)!);
}

function unknownTicker(tickers: readonly string[], market: MarketCode | undefined, field: string): Problem {
  const where = market === undefined ? "" : ` in the market ${market}`;
  const message = `there is no ticker ${tickers.join(", ")}${where}`;
  return new Problem(404, "unknown_ticker", message, { errors: [{ field, rule: "known", message }] });
}

function ambiguousTicker(tickers: readonly string[], field: string): Problem {
  const message = `${tickers.join(", ")} exists in both markets; say market=us or market=kr`;
  const { errors } = invalidParameters([{ field, rule: "ambiguous_ticker", message }]);
  return new Problem(400, "ambiguous_ticker", message, { errors });
}
