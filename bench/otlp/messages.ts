/** What the benchmark's processes say to each other, over the channel of `child_process.fork`. */

/** One stretch of load, for the generator. */
export interface LoadOrder {
  readonly kind: 'load';
  readonly protocol: 'grpc' | 'http';
  readonly port: number;
  readonly compression: 'none' | 'gzip';
  readonly connections: number;
  readonly spansPerRequest: number;
  /** About this many bytes for each encoded span. */
  readonly spanBytes: number;
  readonly milliseconds: number;
}

/** What became of it. */
export interface LoadResult {
  readonly kind: 'loaded';
  readonly requests: number;
  /** Spans of the requests that were answered with success. */
  readonly acceptedSpans: number;
  readonly failedRequests: number;
  /** Why one of them failed; '' when none did. */
  readonly failure: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Real size of a span, for the report. */
  readonly bytesPerSpan: number;
}

/** From the sink: once it listens, and on request how much it has seen since it began. */
export type SinkMessage =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'seen'; readonly spans: number };
