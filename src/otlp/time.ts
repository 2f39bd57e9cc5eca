/**
 * Points in time, nanoseconds since the Unix epoch, as OTLP carries them (`fixed64`).
 *
 * Today's epoch nanoseconds are above 2^53, so a `number` cannot hold them exactly and a `bigint` costs an allocation
 * and a call for each operation. A pair of unsigned 32-bit halves is exact and cheap; differences of two near points
 * fit a `number` exactly.
 */
export interface Time64 {
  /** Upper 32 bits, unsigned. */
  readonly hi: number;
  /** Lower 32 bits, unsigned. */
  readonly lo: number;
}

const TWO_32 = 0x1_0000_0000;
const NS_PER_MS = 1_000_000;

/** `a - b` in nanoseconds: exact while it stays below 2^53 ns (104 days) in either direction. */
export const timeDifferenceNs = (a: Time64, b: Time64): number => (a.hi - b.hi) * TWO_32 + (a.lo - b.lo);

/** Milliseconds since the epoch with fraction; exact to about 0.25 us, which is what a `number` can hold. */
export function timeToMs(time: Time64): number {
  const { wholeMs, restNs } = splitMs(time);
  return wholeMs + restNs / NS_PER_MS;
}

/** Nanoseconds since the epoch, rounded to what a `number` can hold (256 ns today). */
export const timeToNumber = (time: Time64): number => time.hi * TWO_32 + time.lo;

export const timeToBigInt = (time: Time64): bigint => (BigInt(time.hi) << 32n) | BigInt(time.lo);

/** Takes the low 64 bits of `ns`. */
export function timeFromBigInt(ns: bigint): Time64 {
  return { hi: Number((ns >> 32n) & 0xffff_ffffn), lo: Number(ns & 0xffff_ffffn) };
}

/**
 * The time `ms` milliseconds and `ns` nanoseconds after the epoch. Whole milliseconds below 2^53 are exact; a fraction
 * of `ms` keeps what the `number` holds. Results before the epoch are 0.
 */
export function timeFromMs(ms: number, ns = 0): Time64 {
  const wholeMs = Math.floor(ms);
  const restNs = Math.round((ms - wholeMs) * NS_PER_MS) + ns;
  // wholeMs * 10^6 exceeds 2^53, so multiply the 32-bit halves of the milliseconds one by one.
  const high = Math.floor(wholeMs / TWO_32);
  const low = wholeMs - high * TWO_32;
  return addNs(normalise(high * NS_PER_MS, low * NS_PER_MS), restNs);
}

/** The point `ns` (whole, may be negative, below 2^53) after `time`. */
export const addNs = (time: Time64, ns: number): Time64 => normalise(time.hi, time.lo + ns);

/** From an OpenTelemetry JS `HrTime`: seconds and nanoseconds. */
export const timeFromHrTime = (time: readonly [number, number]): Time64 =>
  timeFromMs(time[0] * 1000, time[1]);

export const compareTime = (a: Time64, b: Time64): number => a.hi - b.hi || a.lo - b.lo;

/** RFC 3339 in UTC with nanoseconds, for example `2026-01-02T03:04:05.000000006Z`. */
export function timeToIso(time: Time64): string {
  const { wholeMs, restNs } = splitMs(time);
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(restNs).padStart(6, '0')}Z`;
}

function normalise(hi: number, lo: number): Time64 {
  const carry = Math.floor(lo / TWO_32);
  const upper = hi + carry;
  return upper < 0 ? { hi: 0, lo: 0 } : { hi: upper >>> 0, lo: (lo - carry * TWO_32) >>> 0 };
}

/** Long division by 10^6 in base 2^32: both remainders stay below 2^53. */
function splitMs(time: Time64): { wholeMs: number; restNs: number } {
  const high = Math.floor(time.hi / NS_PER_MS);
  const rest = (time.hi - high * NS_PER_MS) * TWO_32 + time.lo;
  const low = Math.floor(rest / NS_PER_MS);
  return { wholeMs: high * TWO_32 + low, restNs: rest - low * NS_PER_MS };
}
