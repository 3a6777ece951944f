import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { performanceMetrics, returnsOf } from "./metrics.ts";
import { excessKurtosis, quantile, sampleDeviation, skewness } from "./sample-moments.ts";

const curve = (returns: readonly number[]): number[] => {
  let value = 1000;
  return [value, ...returns.map((r) => (value *= 1 + r))];
};
const returns = fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 5, maxLength: 300 });

describe("metrics", () => {
  // Computed with pandas 2.3.3: pct_change, std, skew, kurt, quantile(0.05).
  it("are pandas' for a small curve", () => {
    const m = performanceMetrics([1000, 1010, 1005, 1030, 990, 1002, 1015, 1001, 1040]);
    expect(m.ann_ret).toBeCloseTo(2.439934616345463, 12);
    expect(m.ann_vol).toBeCloseTo(0.38236323596087407, 13);
    expect(m.sharpe).toBeCloseTo(3.4067901600066444, 12);
    expect(m.mdd).toBeCloseTo(-0.03883495145631066, 14);
    expect(m.skew).toBeCloseTo(-0.6256260557269923, 12);
    expect(m.kurt).toBeCloseTo(0.5501909885086445, 12);
    expect(m.var).toBeCloseTo(-0.03007030465349849, 14);
    expect(m.cvar).toBeCloseTo(-0.03883495145631066, 14);
  });

  it("annualise what the curve gained", () => {
    fc.assert(
      fc.property(returns, (r) => {
        const nav = curve(r);
        const { ann_ret: annual } = performanceMetrics(nav);
        const expected = (nav.at(-1)! / nav[0]!) ** (252 / r.length) - 1;
        expect(Math.abs(annual! - expected)).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(expected)));
      }),
    );
  });

  it("find the deepest fall among all pairs of points", () => {
    fc.assert(
      fc.property(returns, (r) => {
        const nav = curve(r);
        const falls = nav.flatMap((peak, at) => nav.slice(at).map((value) => value / peak - 1));
        expect(performanceMetrics(nav).mdd).toBeCloseTo(Math.min(...falls), 14);
      }),
      { numRuns: 30 },
    );
  });

  it("put a twentieth of the returns at or below var, and cvar below it", () => {
    fc.assert(
      fc.property(returns, (r) => {
        const nav = curve(r);
        const { var: atRisk, cvar } = performanceMetrics(nav);
        const below = returnsOf(nav).filter((value) => value <= atRisk!).length;
        expect(below).toBeGreaterThanOrEqual(Math.floor((r.length - 1) / 20) + 1);
        expect(cvar!).toBeLessThanOrEqual(atRisk! + 1e-15);
      }),
    );
  });

  it("are null where nothing varies or there is too little", () => {
    const nothing = { ann_ret: null, ann_vol: null, sharpe: null, skew: null, kurt: null, var: null, cvar: null };
    expect(performanceMetrics([])).toEqual({ ...nothing, mdd: null });
    expect(performanceMetrics([1000])).toEqual({ ...nothing, mdd: 0 });
    const flat = performanceMetrics([1000, 1000, 1000, 1000, 1000, 1000]);
    expect(flat).toEqual({ ann_ret: 0, ann_vol: 0, sharpe: null, mdd: 0, skew: null, kurt: null, var: 0, cvar: 0 });
    const steady = performanceMetrics(curve(Array<number>(50).fill(0.01)));
    expect(steady).toMatchObject({ ann_vol: 0, sharpe: null, skew: null, kurt: null });
  });
});

describe("moments", () => {
  it("do not move with the place of the values, and follow their scale", () => {
    fc.assert(
      fc.property(returns, fc.double({ min: 0.5, max: 2, noNaN: true }), (values, scale) => {
        fc.pre(sampleDeviation(values)! > 1e-3);
        const moved = values.map((value) => value * scale + 1);
        expect(sampleDeviation(moved)! / sampleDeviation(values)!).toBeCloseTo(scale, 8);
        expect(skewness(moved)!).toBeCloseTo(skewness(values)!, 6);
        expect(excessKurtosis(moved)!).toBeCloseTo(excessKurtosis(values)!, 6);
      }),
    );
  });
  it("interpolate quantiles, and hit a value where one lies there", () => {
    expect(quantile([3, 1, 2], 1, 2)).toBe(2);
    expect(quantile([0, 10], 1, 20)).toBe(0.5);
    const many = Array.from({ length: 21 }, (_, index) => index / 7);
    expect(quantile(many, 1, 20)).toBe(1 / 7);
    expect(quantile([], 1, 20)).toBeNull();
  });
});
