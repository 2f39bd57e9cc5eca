/** Spans of Jaeger's model, whatever encoding they came in. */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import type { Time64 } from '../../otlp/time.js';

export interface JaegerTag {
  readonly key: string;
  readonly value: AttributeInput;
}

export interface JaegerReference {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly kind: 'child_of' | 'follows_from' | 'other';
}

export interface JaegerLog {
  readonly time: Time64;
  readonly fields: readonly JaegerTag[];
}

export interface JaegerSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** 16 hex digits; zeros when absent. */
  readonly parentSpanId: string;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly startTime: Time64;
  readonly endTime: Time64;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly JaegerLog[];
  /** Where it is not that of the batch. */
  readonly process?: JaegerProcess | undefined;
}

export interface JaegerProcess {
  readonly serviceName: string;
  readonly tags: readonly JaegerTag[];
}

export interface JaegerBatch {
  readonly process: JaegerProcess | undefined;
  readonly spans: readonly JaegerSpan[];
}

export const NO_ID = '0'.repeat(16);
