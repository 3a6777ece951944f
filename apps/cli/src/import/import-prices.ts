import type { BadRow, MarketRow, MarketSender } from "@firn/feeds";
import { HeaderError, readPriceCsv, type PriceRow } from "@firn/feeds";
import { findOrAddSecurities, widenDateRanges, type DateRange, type Queryable } from "@firn/relational";

import { CommandError, EXIT } from "../exit-code.ts";
import type { Progress } from "../progress.ts";
import type { InputFile } from "../replay/input-file.ts";

export type Market = "us" | "kr";

export interface PriceTarget {
  readonly market: Market;
  readonly sender: MarketSender;
  readonly database: Queryable;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface ImportReport {
  readonly file: string;
  readonly table: string;
  /** Records of the file, good and bad. */
  readonly records: number;
  /** Rows that ingest has accepted. */
  readonly accepted: number;
  readonly tickers: number;
  readonly tickers_added: readonly string[];
  readonly bad: readonly BadRow[];
  readonly bad_count: number;
}

const ROWS_AT_ONCE = 20_000;
/** Bad rows that a report names; all are counted. */
const BAD_NAMED_MAX = 1_000;

/** Sends the prices of a file in its order, so that of rows with one ticker and date the last wins. */
export async function importPrices(file: InputFile, target: PriceTarget): Promise<ImportReport> {
  const { market, progress } = target;
  const table = `${market}_stocks_price`;
  const bad: BadRow[] = [];
  const known = new KnownTickers(target);
  let records = 0;
  let badCount = 0;
  let waiting: PriceRow[] = [];
  let accepted = 0;
  const flush = async () => {
    const rows = await known.rowsOf(waiting);
    await target.sender.send(table, rows, target.signal);
    accepted += rows.length;
    waiting = [];
    progress.update(file.bytesRead(), `${accepted.toLocaleString("en-US")} rows`);
  };
  try {
    for await (const one of readPriceCsv(file.chunks())) {
      records++;
      if (one.kind === "price") waiting.push(one.price);
      else if (badCount++ < BAD_NAMED_MAX) bad.push(one.bad);
      if (waiting.length >= ROWS_AT_ONCE) await flush();
      if (target.signal.aborted) throw stopped();
    }
  } catch (error) {
    if (error instanceof HeaderError)
      throw new CommandError(EXIT.usage, `${file.path}: ${error.message}`, { cause: error });
    throw error;
  }
  await flush();
  await widenDateRanges(target.database, known.ranges());
  const { size, added } = known;
  return { file: file.path, table, records, accepted, tickers: size, tickers_added: added, bad, bad_count: badCount };
}

function stopped(): CommandError {
  return new CommandError(EXIT.broken, "the import was stopped", {
    fix: "Run the same command again: what is stored already counts as a duplicate",
  });
}

/** Names securities by their numbers, and notes which days each of them has. */
class KnownTickers {
  readonly #target: PriceTarget;
  readonly #ids = new Map<string, number>();
  readonly #ranges = new Map<number, DateRange>();
  readonly added: string[] = [];

  constructor(target: PriceTarget) {
    this.#target = target;
  }

  get size(): number {
    return this.#ids.size;
  }

  ranges(): DateRange[] {
    return [...this.#ranges.values()];
  }

  async rowsOf(prices: readonly PriceRow[]): Promise<MarketRow[]> {
    const unknown = [...new Set(prices.map(({ ticker }) => ticker))].filter((ticker) => !this.#ids.has(ticker));
    if (unknown.length > 0) {
      const isoCode = this.#target.market === "us" ? "US" : "KR";
      const found = await findOrAddSecurities(this.#target.database, isoCode, unknown);
      for (const [ticker, metaId] of found.idByTicker) this.#ids.set(ticker, metaId);
      this.added.push(...found.added);
    }
    return prices.map(({ ticker, tradeDate, close, adjClose, volume }) => {
      const metaId = this.#ids.get(ticker)!;
      this.#note(metaId, tradeDate);
      return { meta_id: metaId, trade_date: tradeDate, close, adj_close: adjClose, volume };
    });
  }

  #note(metaId: number, date: string): void {
    const range = this.#ranges.get(metaId);
    if (range !== undefined && date >= range.minDate && date <= range.maxDate) return;
    const minDate = range === undefined || date < range.minDate ? date : range.minDate;
    const maxDate = range === undefined || date > range.maxDate ? date : range.maxDate;
    this.#ranges.set(metaId, { metaId, minDate, maxDate });
  }
}
