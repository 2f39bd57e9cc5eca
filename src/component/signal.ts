/** The kinds of telemetry that a pipeline carries. */
export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles';

/**
 * One unit of telemetry inside a pipeline: an encoded OTLP `Export*ServiceRequest` (which has the same wire form as
 * `TracesData`, `MetricsData`, …) and what is known about it without decoding.
 *
 * `bytes` is immutable by convention: a component that changes telemetry makes a new `Batch`. Components may keep a
 * reference, therefore nobody writes into the bytes of a batch that has been handed on.
 */
export interface Batch<S extends Signal = Signal> {
  readonly signal: S;
  /** Encoded OTLP, protobuf. */
  readonly bytes: Uint8Array;
  /**
   * The same bytes in pieces, where nobody has put them together yet: reading `bytes` does that then, once. Who can
   * write pieces saves the copy; everybody else need not look. Left out when there is one piece.
   */
  readonly parts?: readonly Uint8Array[];
  /** Spans, metric data points or log records in `bytes`. */
  readonly itemCount: number;
  readonly origin: Origin;
}

/** Where a batch came from. */
export interface Origin {
  /** Component id of the receiver, for example `otlp` or `ebpf`. */
  readonly receiver: string;
  /** The client's end and ours of the connection that delivered the batch, where there was one. */
  readonly connection?: {
    readonly remoteAddress: string;
    readonly remotePort: number;
    readonly localAddress: string;
    readonly localPort: number;
  };
  /**
   * Headers of the request, names in lower case, where the receiver keeps them (`include_metadata`). A persistent queue
   * writes them to its files, except `authorization` and `cookie`, which receivers leave out.
   */
  readonly metadata?: Readonly<Record<string, readonly string[]>>;
  /** True when `trace_profiling` has nothing to add: the spans were built from kernel events and joined already. */
  readonly joined?: boolean;
}
