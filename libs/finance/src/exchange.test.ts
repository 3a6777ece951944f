import { expect, it } from "vitest";
import { exchangePrices, invertRates } from "./exchange.ts";

it("a series in another currency has the last rate known on each date", () => {
  const rates = { dates: [2, 4], prices: [1000, 1250] };
  const won = { dates: [1, 2, 3, 4, 9], prices: [5, 10_000, 20_000, 20_000, 25_000] };
  expect(exchangePrices(won, rates)).toEqual({ dates: [2, 3, 4, 9], prices: [10, 20, 16, 20] });
  expect(exchangePrices({ dates: [4], prices: [2] }, invertRates(rates)).prices).toEqual([2500]);
});
