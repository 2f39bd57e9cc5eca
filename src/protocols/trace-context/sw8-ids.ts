/**
 * SkyWalking's ids as those of W3C, by the algorithm of the Collector (pkg/translator/skywalking of contrib), so that spans
 * which went through one join those that came here. They can't be turned back.
 *
 * A segment id is `<32 hex digits of a UUID>.<thread>.<time and sequence>`. The UUID's bytes are mixed with the number of the
 * span, the thread and the sequence, each with its least significant byte first:
 *
 *     0        4        8                15
 *     | span   | thread | sequence       |
 */

const UUID_DIGITS = 32;
export const ZERO_TRACE_ID = '0'.repeat(32);
export const ZERO_SPAN_ID = '0'.repeat(16);

/** 32 hex digits; zeros when it is no id of SkyWalking's. */
export function sw8TraceId(text: string): string {
  if (text.length > 36) return mixed(text, 0)?.toString('hex') ?? ZERO_TRACE_ID;
  const digits = text.length === 36 ? text.replaceAll('-', '') : text;
  return /^[0-9a-fA-F]{32}$/.test(digits) ? digits.toLowerCase() : ZERO_TRACE_ID;
}

/** 16 hex digits for span `spanId` of a segment; zeros when it is no id of SkyWalking's. */
export function sw8SpanId(segmentId: string, spanId: number): string {
  const bytes = mixed(segmentId, spanId);
  if (bytes === undefined) return ZERO_SPAN_ID;
  for (let index = 0; index < 8; index++) bytes[index] = bytes[index]! ^ bytes[index + 8]!;
  return bytes.toString('hex', 0, 8);
}

function mixed(text: string, extra: number): Buffer | undefined {
  const uuid = text.slice(0, UUID_DIGITS);
  if (!/^[0-9a-fA-F]{32}$/.test(uuid)) return undefined;
  const bytes = Buffer.from(uuid, 'hex');
  mix(bytes, 0, BigInt(extra), 4);
  if (text.length === UUID_DIGITS) return bytes;
  const rest = /^\.(-?\d{1,20})\.(-?\d{1,20})$/.exec(text.slice(UUID_DIGITS));
  if (rest === null) return undefined;
  mix(bytes, 4, BigInt(rest[1]!), 4);
  mix(bytes, 8, BigInt(rest[2]!), 8);
  return bytes;
}

function mix(bytes: Buffer, at: number, value: bigint, width: number): void {
  let rest = BigInt.asUintN(64, value);
  for (let index = at; index < at + width; index++, rest >>= 8n) {
    bytes[index] = bytes[index]! ^ Number(rest & 0xffn);
  }
}
