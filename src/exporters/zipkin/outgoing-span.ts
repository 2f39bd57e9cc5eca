import type { ZipkinEndpoint } from '../../zipkin/model.js';

/** A span on its way to Zipkin; times in nanoseconds, as the two encodings round them differently. */
export interface OutgoingSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  readonly id: string;
  /** '' for none. */
  readonly parentId: string;
  readonly name: string;
  /** '' for none. */
  readonly kind: string;
  /** Since the epoch; undefined when it is within its first second, which stands for unknown. */
  readonly startNs: bigint | undefined;
  /** Not negative. */
  readonly durationNs: bigint;
  readonly local: ZipkinEndpoint;
  readonly remote: ZipkinEndpoint | undefined;
  readonly annotations: readonly { readonly timeNs: bigint; readonly value: string }[];
  readonly tags: ReadonlyMap<string, string>;
}
