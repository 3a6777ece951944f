export { MarketSender } from "./market-sender.ts";
export type { MarketRow } from "./market-sender.ts";
export { HeaderError, PRICE_HEADER, readPriceCsv } from "./price-csv.ts";
export type { BadRow, CsvPrice, PriceRow } from "./price-csv.ts";
