/** Requests with which Kindling's receivers are compared with those of a real Collector. */

export interface HttpAsk {
  readonly kind: 'http';
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** One datagram; what a Collector makes of it shows in what leaves. */
export interface UdpAsk {
  readonly kind: 'udp';
  readonly port: 'compact' | 'binary';
  readonly body: Uint8Array;
}

export interface GrpcAsk {
  readonly kind: 'grpc';
  readonly path: string;
  readonly message: Uint8Array;
}

/** What the pipeline says to what arrives. */
export type Verdict = 'ok' | 'permanent' | 'transient';

export interface ReceiverCase {
  /** Unique within a group. */
  readonly id: string;
  /** `zipkin`, `zipkin/tags` (with `parse_string_tags`), `jaeger`. */
  readonly receiver: string;
  readonly ask: HttpAsk | UdpAsk | GrpcAsk;
  readonly verdict?: Verdict;
  /** Compare the status of the answer only: the text is that of a library of Go. */
  readonly statusOnly?: boolean;
}

export interface ReceiverAnswer {
  /** Of HTTP, or the code of gRPC. */
  readonly status?: number;
  readonly contentType?: string;
  readonly body?: string;
  /** OTLP/JSON of what left, in a form that can be compared (compare.ts). */
  readonly spans?: unknown;
}

export type ReceiverAnswers = Readonly<Record<string, ReceiverAnswer>>;
