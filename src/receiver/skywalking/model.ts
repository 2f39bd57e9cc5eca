/** What the tables of proto.ts decode to. */

export interface Pair {
  readonly key: string;
  readonly value: string;
}

export interface SegmentReference {
  /** 0: of another process, 1: of another thread. */
  readonly refType: number;
  readonly traceId: string;
  readonly parentTraceSegmentId: string;
  readonly parentSpanId: number;
  readonly parentService: string;
  readonly parentServiceInstance: string;
  readonly parentEndpoint: string;
  readonly networkAddressUsedAtPeer: string;
}

export interface SegmentSpan {
  readonly spanId: number;
  /** -1 for the first one. */
  readonly parentSpanId: number;
  /** Milliseconds since the epoch. */
  readonly startTime: bigint;
  readonly endTime: bigint;
  readonly refs: readonly SegmentReference[];
  readonly operationName: string;
  readonly peer: string;
  /** 0 entry, 1 exit, 2 local. */
  readonly spanType: number;
  /** 1 database, 2 RPC, 3 HTTP, 4 messaging, 5 cache, 6 FaaS. */
  readonly spanLayer: number;
  readonly componentId: number;
  readonly isError: boolean;
  readonly tags: readonly Pair[];
  readonly logs: readonly { readonly time: bigint; readonly data: readonly Pair[] }[];
  readonly skipAnalysis: boolean;
}

export interface Segment {
  readonly traceId: string;
  readonly traceSegmentId: string;
  readonly spans: readonly SegmentSpan[];
  readonly service: string;
  readonly serviceInstance: string;
  readonly isSizeLimited: boolean;
}

interface MemoryUse {
  readonly init: bigint;
  readonly max: bigint;
  readonly used: bigint;
  readonly committed: bigint;
}

export interface JvmMetric {
  readonly time: bigint;
  readonly cpu?: { readonly usagePercent: number };
  readonly memory: readonly (MemoryUse & { readonly isHeap: boolean })[];
  readonly memoryPool: readonly (MemoryUse & { readonly type: number })[];
  readonly gc: readonly { readonly phrase: number; readonly count: bigint; readonly time: bigint }[];
  readonly thread?: Readonly<Record<string, bigint>>;
  readonly clazz?: { readonly loaded: bigint; readonly totalUnloaded: bigint; readonly totalLoaded: bigint };
}

export interface ClrMetric {
  readonly time: bigint;
  readonly cpu?: { readonly usagePercent: number };
  readonly gc?: Readonly<Record<'gen0' | 'gen1' | 'gen2' | 'heap', bigint>>;
  readonly thread?: Readonly<Record<string, number>>;
}

/** Metrics of one process. */
export interface OfInstance<T> {
  readonly metrics: readonly T[];
  readonly service: string;
  readonly serviceInstance: string;
}

export interface Meter {
  readonly single?: { readonly name: string; readonly labels: readonly Label[]; readonly value: number };
  readonly histogram?: {
    readonly name: string;
    readonly labels: readonly Label[];
    readonly values: readonly {
      readonly bucket: number;
      readonly count: bigint;
      readonly isNegativeInfinity: boolean;
    }[];
  };
  readonly service: string;
  readonly serviceInstance: string;
  readonly timestamp: bigint;
}

export interface Label {
  readonly name: string;
  readonly value: string;
}

export interface LogData {
  readonly timestamp: bigint;
  readonly service: string;
  readonly serviceInstance: string;
  readonly endpoint: string;
  readonly body: {
    readonly type: string;
    readonly text?: { readonly text: string };
    readonly json?: { readonly json: string };
    readonly yaml?: { readonly yaml: string };
  };
  readonly traceContext?: {
    readonly traceId: string;
    readonly traceSegmentId: string;
    readonly spanId: number;
  };
  readonly tags: { readonly data: readonly Pair[] };
  readonly layer: string;
}
