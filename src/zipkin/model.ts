/** A span of Zipkin's second data model (https://zipkin.io/zipkin-api/zipkin2-api.yaml), whatever encoding it came in. */
import type { Time64 } from '../otlp/time.js';

export interface ZipkinEndpoint {
  readonly serviceName: string;
  /** As text; '' when absent. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** 0 when absent. */
  readonly port: number;
}

export interface ZipkinAnnotation {
  readonly time: Time64;
  readonly value: string;
}

export interface ZipkinSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly id: string;
  /** 16 hex digits; '' when absent. */
  readonly parentId: string;
  readonly name: string;
  /** `CLIENT`, `SERVER`, `PRODUCER`, `CONSUMER`; anything else is no kind. */
  readonly kind: string;
  /** Microseconds since the epoch; undefined when absent. */
  readonly timestampUs: number | undefined;
  readonly durationUs: number;
  readonly local: ZipkinEndpoint | undefined;
  readonly remote: ZipkinEndpoint | undefined;
  readonly annotations: readonly ZipkinAnnotation[];
  readonly tags: ReadonlyMap<string, string>;
}

/** A span that can't be read; `message` is what the client is told. */
export class ZipkinError extends Error {
  override readonly name = 'ZipkinError';
}
