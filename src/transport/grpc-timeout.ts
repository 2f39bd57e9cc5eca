/** Milliseconds of one unit of a `grpc-timeout` header. */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Milliseconds of a `grpc-timeout` header: one to eight digits and a unit
 * (https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md). Undefined when it is absent or malformed.
 */
export function parseGrpcTimeout(value: string | undefined): number | undefined {
  const match = value === undefined ? null : /^(\d{1,8})([HMSmun])$/.exec(value);
  return match === null ? undefined : Number(match[1]) * UNIT_MS[match[2]!]!;
}
