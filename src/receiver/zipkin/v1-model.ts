/** Spans of Zipkin's first data model, in JSON and Thrift (https://zipkin.io/zipkin-api/zipkin-api.yaml). */
import type { AttributeInput } from '../../otlp/attribute-writer.js';

export interface V1Endpoint {
  readonly serviceName: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly port: number;
}

export interface V1Annotation {
  readonly timestampUs: number;
  readonly value: string;
  readonly endpoint: V1Endpoint | undefined;
}

export interface V1BinaryAnnotation {
  readonly key: string;
  readonly value: AttributeInput;
  /** Of `lc`, the name of a local component. */
  readonly text: string;
  readonly endpoint: V1Endpoint | undefined;
}

export interface V1Span {
  readonly traceId: string;
  readonly id: string;
  /** '' when absent. */
  readonly parentId: string;
  readonly name: string;
  /** 0 when absent. */
  readonly timestampUs: number;
  readonly durationUs: number;
  readonly annotations: readonly V1Annotation[];
  readonly binaryAnnotations: readonly V1BinaryAnnotation[];
  /** A span without any time gets that of its arrival (JSON), or stays without (Thrift). */
  readonly timeRequired: boolean;
}
