/** Zipkin's protobuf messages. Source: https://github.com/openzipkin/zipkin-api/blob/1.0.0/zipkin.proto. */
import { defineMessage, linkMessages, list, message, scalar } from '../otlp/schema.js';

const OPTIONAL = { presence: 'explicit' } as const;

const ENDPOINT = defineMessage('Endpoint', [
  scalar(1, 'serviceName', 'string'),
  scalar(2, 'ipv4', 'bytes'),
  scalar(3, 'ipv6', 'bytes'),
  scalar(4, 'port', 'int32'),
]);

const ANNOTATION = defineMessage('Annotation', [
  scalar(1, 'timestamp', 'fixed64'),
  scalar(2, 'value', 'string'),
]);

const TAG = defineMessage('TagsEntry', [scalar(1, 'key', 'string'), scalar(2, 'value', 'string')]);

const SPAN = defineMessage('Span', [
  scalar(1, 'traceId', 'bytes'),
  scalar(2, 'parentId', 'bytes'),
  scalar(3, 'id', 'bytes'),
  scalar(4, 'kind', 'enum'),
  scalar(5, 'name', 'string'),
  scalar(6, 'timestamp', 'fixed64'),
  scalar(7, 'duration', 'uint64'),
  message(8, 'localEndpoint', () => ENDPOINT, OPTIONAL),
  message(9, 'remoteEndpoint', () => ENDPOINT, OPTIONAL),
  list(10, 'annotations', () => ANNOTATION),
  list(11, 'tags', () => TAG),
  scalar(12, 'debug', 'bool'),
  scalar(13, 'shared', 'bool'),
]);

export const LIST_OF_SPANS = defineMessage('ListOfSpans', [list(1, 'spans', () => SPAN)]);
linkMessages(LIST_OF_SPANS);

export interface ZipkinProtoEndpoint {
  readonly serviceName: string;
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
  readonly port: number;
}

export interface ZipkinProtoSpan {
  readonly traceId: Uint8Array;
  readonly parentId: Uint8Array;
  readonly id: Uint8Array;
  readonly kind: number;
  readonly name: string;
  /** Microseconds. */
  readonly timestamp: bigint;
  readonly duration: bigint;
  readonly localEndpoint?: ZipkinProtoEndpoint;
  readonly remoteEndpoint?: ZipkinProtoEndpoint;
  readonly annotations: readonly { readonly timestamp: bigint; readonly value: string }[];
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly debug: boolean;
  readonly shared: boolean;
}

export const KINDS = ['SPAN_KIND_UNSPECIFIED', 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'] as const;
