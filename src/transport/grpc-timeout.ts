/** Milliseconds of one unit of a `grpc-timeout` header. */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** One to eight digits and a unit. */
const MAX_LENGTH = 9;

/**
 * Milliseconds of a `grpc-timeout` header (https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md), or what is wrong
 * with it, in the words of grpc-go.
 */
export function parseGrpcTimeout(value: string): number | { readonly problem: string } {
  const quoted = JSON.stringify(value);
  if (value.length < 2) return { problem: `transport: timeout string is too short: ${quoted}` };
  if (value.length > MAX_LENGTH) return { problem: `transport: timeout string is too long: ${quoted}` };
  const unitMs = UNIT_MS[value.slice(-1)];
  if (unitMs === undefined) return { problem: `transport: timeout unit is not recognized: ${quoted}` };
  const digits = value.slice(0, -1);
  if (!/^\d+$/.test(digits)) {
    return { problem: `strconv.ParseUint: parsing ${JSON.stringify(digits)}: invalid syntax` };
  }
  return Number(digits) * unitMs;
}
