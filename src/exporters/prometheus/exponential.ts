import type { DecodedExponentialHistogramPoint } from '../../otlp/decode.js';

/**
 * An exponential histogram in buckets that text formats can show: one for each power of two, so that the buckets of a
 * series stay the same when its scale changes. A bound is inclusive in both. Values of zero and less are in the first.
 */
export function toPowersOfTwo(point: DecodedExponentialHistogramPoint): {
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
} {
  const { scale, positive, negative } = point;
  const byExponent = new Map<number, number>();
  positive.bucketCounts.forEach((count, index) => {
    if (count === 0n) return;
    const place = positive.offset + index;
    // The bucket (2^(place / 2^scale), 2^((place + 1) / 2^scale)] ends at or before the next power of two.
    const exponent = Math.ceil((place + 1) * 2 ** -scale);
    byExponent.set(exponent, (byExponent.get(exponent) ?? 0) + Number(count));
  });
  const low = Number(point.zeroCount) + negative.bucketCounts.reduce((sum, count) => sum + Number(count), 0);
  const exponents = [...byExponent.keys()];
  if (exponents.length === 0) return { bounds: [0], counts: Float64Array.of(low, 0) };
  const first = Math.min(...exponents);
  const last = Math.max(...exponents);
  const bounds = [0];
  const counts = [low];
  for (let exponent = first - 1; exponent <= last; exponent++) {
    bounds.push(2 ** exponent);
    counts.push(byExponent.get(exponent) ?? 0);
  }
  return { bounds, counts: Float64Array.from([...counts, 0]) };
}
