import { daysFromCivil } from "@firn/core";
import { describe, expect, it } from "vitest";
import { regimeMonths, regimeOf, type MacroSeries } from "./regime.ts";

const first = 2020 * 12;
const monthly = (values: readonly (number | null)[], from = first): MacroSeries => ({
  dates: values.map((_, index) => daysFromCivil(Math.floor((from + index) / 12), ((from + index) % 12) + 1, 1)),
  values,
});

describe("regimes", () => {
  it.each([
    [1, -1, "Goldilocks"],
    [1, 1, "Reflation"],
    [-1, 1, "Stagflation"],
    [-1, -1, "Deflation"],
    [0, 0, "Deflation"],
  ] as const)("growth %d and inflation %d are %s", (growth, inflation, regime) => {
    expect(regimeOf(growth, inflation)).toBe(regime);
  });

  it("are known a month later, from changes over three months", () => {
    // Prices: flat for 15 months, then 1 % a month; growth falls all the time.
    const index = Array.from({ length: 24 }, (_, month) => (month < 15 ? 100 : 100 * 1.01 ** (month - 14)));
    const growth = Array.from({ length: 24 }, (_, month) => 110 - month / 10);
    const months = regimeMonths(monthly(growth), monthly(index));
    // Inflation exists from month 12, its change from month 15, known in month 16.
    expect(months[0]!.month).toBe(first + 16);
    expect(months.at(-1)!.month).toBe(first + 24);
    expect(months[0]).toMatchObject({ regime: "Stagflation" });
    expect(months[0]!.growthChange).toBeCloseTo(-0.3, 12);
    expect(months[0]!.inflationChange).toBeCloseTo(0.01, 12);
    expect(months[3]!.inflationChange).toBeCloseTo(1.01 ** 4 - 1.01, 12);
  });

  it("leave out months for which a value is missing", () => {
    const index = Array.from({ length: 24 }, (_, month) => (month === 18 ? null : 100 + month));
    const growth = Array.from({ length: 24 }, (_, month) => month);
    const months = regimeMonths(monthly(growth), monthly(index)).map(({ month }) => month - first);
    expect(months).toEqual([16, 17, 18, 20, 21, 23, 24]);
  });
});
