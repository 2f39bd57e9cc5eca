/**
 * Consistent probability sampling: an item is kept when its 56-bit randomness is at least the 56-bit threshold.
 * Sources: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/, and the Collector's
 * pkg/sampling 0.159 for rounding.
 */
const DIGITS = 14;
export const MAX_ADJUSTED_COUNT = 1n << 56n;
const MIN_PROBABILITY = 1 / Number(MAX_ADJUSTED_COUNT);

export const ALWAYS = 0n;
/** Above every randomness. */
export const NEVER = MAX_ADJUSTED_COUNT;

export const isSampled = (threshold: bigint, randomness: bigint): boolean => randomness >= threshold;

/** The last seven bytes of a trace id, which W3C Trace Context level 2 says are random. */
export function traceIdRandomness(traceId: Uint8Array): bigint {
  let value = 0n;
  for (let index = 9; index < 16; index++) value = (value << 8n) | BigInt(traceId[index]!);
  return value;
}

/** The threshold that keeps this part of items (0…1), with about `precision` hex digits; undefined when out of range. */
export function thresholdOf(probability: number, precision: number): bigint | undefined {
  if (!(probability >= MIN_PROBABILITY && probability <= 1)) return undefined;
  if (probability === 1) return ALWAYS;
  const leading = (value: number) => Math.trunc(exponentOf(value) / -4);
  const digits = Math.min(
    DIGITS,
    Math.max(precision + leading(probability), precision + leading(1 - probability)),
  );
  let threshold = MAX_ADJUSTED_COUNT - BigInt(Math.round(probability * Number(MAX_ADJUSTED_COUNT)));
  const shift = BigInt(4 * (DIGITS - digits));
  if (shift > 0n) threshold = ((threshold + (1n << (shift - 1n))) >> shift) << shift;
  return threshold;
}

/** C's `frexp`: the exponent of `value` as a fraction in [0.5, 1). */
function exponentOf(value: number): number {
  let exponent = Math.floor(Math.log2(value)) + 1;
  // The logarithm may be off by one next to powers of two.
  while (value / 2 ** exponent >= 1) exponent++;
  while (value / 2 ** exponent < 0.5) exponent--;
  return exponent;
}

export const probabilityOf = (threshold: bigint): number =>
  Number(MAX_ADJUSTED_COUNT - threshold) / Number(MAX_ADJUSTED_COUNT);

/** `th`: hex without the zeros at the end. */
export function thresholdText(threshold: bigint): string {
  if (threshold === NEVER) return '';
  return threshold === 0n ? '0' : threshold.toString(16).padStart(DIGITS, '0').replace(/0+$/, '');
}

export const randomnessText = (randomness: bigint): string => randomness.toString(16).padStart(DIGITS, '0');

/** Undefined when it is none. */
export const parseThreshold = (text: string): bigint | undefined =>
  /^[0-9a-f]{1,14}$/.test(text) ? BigInt(`0x${text.padEnd(DIGITS, '0')}`) : undefined;

export const parseRandomness = (text: string): bigint | undefined =>
  /^[0-9a-f]{14}$/.test(text) ? BigInt(`0x${text}`) : undefined;
