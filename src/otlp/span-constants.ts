/** Numbers of opentelemetry-proto v1.11, trace/v1/trace.proto. Not those of @opentelemetry/api: its kinds start at 0. */

export const SpanKind = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
} as const;
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

export const StatusCode = { unset: 0, ok: 1, error: 2 } as const;
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** Bits of `Span.flags` and `Link.flags`. */
export const SpanFlags = {
  /** W3C trace flags. */
  traceFlagsMask: 0xff,
  sampled: 0x01,
  /** `isRemote` is meaningful. */
  hasIsRemote: 0x100,
  isRemote: 0x200,
} as const;

/** Lower-case words for people and for labels, for example `server`; `unspecified` for unknown numbers. */
export function spanKindName(kind: number): keyof typeof SpanKind {
  const names = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
  return names[kind] ?? 'unspecified';
}
