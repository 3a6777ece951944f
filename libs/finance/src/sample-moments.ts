/** Statistics of a sample, bias-corrected as pandas has them. Null where the sample is too small or does not vary. */

export function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sums of the second, third and fourth power of the deviations from the mean. */
interface CentralSums {
  readonly n: number;
  readonly squares: number;
  readonly cubes: number;
  readonly fourths: number;
}

function centralSums(values: readonly number[]): CentralSums {
  const center = mean(values) ?? 0;
  let [squares, cubes, fourths] = [0, 0, 0];
  for (const value of values) {
    const deviation = value - center;
    const square = deviation * deviation;
    squares += square;
    cubes += square * deviation;
    fourths += square * square;
  }
  return { n: values.length, squares, cubes, fourths };
}

/** Standard deviation with n − 1 in the denominator; null for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  return Math.sqrt(centralSums(values).squares / (values.length - 1));
}

/** Adjusted Fisher–Pearson skewness (G1); null for fewer than three values or none that differ. */
export function skewness(values: readonly number[]): number | null {
  const { n, squares, cubes } = centralSums(values);
  if (n < 3 || squares === 0) return null;
  return ((n * Math.sqrt(n - 1)) / (n - 2)) * (cubes / squares ** 1.5);
}

/** Bias-corrected excess kurtosis (G2); null for fewer than four values or none that differ. */
export function excessKurtosis(values: readonly number[]): number | null {
  const { n, squares, fourths } = centralSums(values);
  if (n < 4 || squares === 0) return null;
  const scale = (n - 2) * (n - 3);
  return (n * (n + 1) * (n - 1) * fourths) / (scale * squares * squares) - (3 * (n - 1) ** 2) / scale;
}

/**
 * The quantile at `numerator / denominator` with linear interpolation between the two nearest values. A fraction of
 * whole numbers, because (n − 1) × 0.05 may fall just beside a value that it should hit.
 */
export function quantile(values: readonly number[], numerator: number, denominator: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  const scaled = (sorted.length - 1) * numerator;
  const below = Math.floor(scaled / denominator);
  const fraction = (scaled % denominator) / denominator;
  const low = sorted[below]!;
  return fraction === 0 ? low : low + (sorted[below + 1]! - low) * fraction;
}
