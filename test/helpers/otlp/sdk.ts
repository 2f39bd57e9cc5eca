import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';

interface Ports {
  readonly grpcPort: number;
  readonly httpPort: number;
}

/** Every way in which the JavaScript SDK sends OTLP. */
export const SDK_EXPORTERS: Readonly<Record<string, (to: Ports) => SpanExporter>> = {
  gRPC: ({ grpcPort }) => new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}` }),
  'gRPC with gzip': ({ grpcPort }) =>
    new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}`, compression: CompressionAlgorithm.GZIP }),
  'HTTP protobuf': ({ httpPort }) => new ProtoExporter({ url: `http://127.0.0.1:${httpPort}/v1/traces` }),
  'HTTP protobuf with gzip': ({ httpPort }) =>
    new ProtoExporter({
      url: `http://127.0.0.1:${httpPort}/v1/traces`,
      compression: CompressionAlgorithm.GZIP,
    }),
  'HTTP JSON': ({ httpPort }) => new JsonExporter({ url: `http://127.0.0.1:${httpPort}/v1/traces` }),
};

/** Spans with everything an SDK can put on them, each in a request of its own. At most 30: the SDK refuses more. */
export async function exportSpans(exporter: SpanExporter, spans: number): Promise<void> {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 4711 }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('test', '1.2.3');
  const first = tracer.startSpan('root', { kind: SpanKind.SERVER });
  for (let index = 1; index < spans; index++) {
    const span = tracer.startSpan(`work \u00e4 ${index}`, {
      kind: SpanKind.CLIENT,
      attributes: { 'http.route': '/item/{id}', n: index, ratio: 0.5, ok: true, list: ['a', 'b'] },
      links: [{ context: first.spanContext(), attributes: { why: 'test' } }],
    });
    span.addEvent('cache miss', { key: `k${index}` });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' });
    span.end();
  }
  first.end();
  await provider.forceFlush();
  await provider.shutdown();
}
