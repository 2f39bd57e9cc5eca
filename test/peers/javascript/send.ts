/**
 * Sends N spans, N log records and some metrics with the JavaScript SDK; ../README.md says what the peers have in common.
 * Endpoint and compression are read by the SDK itself from OTEL_EXPORTER_OTLP_*.
 */
import {
  type AttributeValue,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import type { AnyValue } from '@opentelemetry/api-logs';
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { tellingLogs, tellingMetrics, tellingSpans } from './tell.js';

const EXPORTERS = {
  grpc: { Traces: GrpcTraces, Metrics: GrpcMetrics, Logs: GrpcLogs },
  'http/protobuf': { Traces: ProtoTraces, Metrics: ProtoMetrics, Logs: ProtoLogs },
  'http/json': { Traces: JsonTraces, Metrics: JsonMetrics, Logs: JsonLogs },
} as const;

const protocol = (process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'grpc') as keyof typeof EXPORTERS;
const { Traces, Metrics, Logs } = EXPORTERS[protocol];
const count = Number(process.argv[2]);
const resource = resourceFromAttributes({
  'service.name': 'peer-javascript',
  'process.pid': 4711,
  'host.cpu': [0.5, 1.5],
});
/** Of somebody else's sampled span. */
const CONTEXT: SpanContext = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  traceFlags: TraceFlags.SAMPLED,
};

async function sendSpans(): Promise<void> {
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(tellingSpans(new Traces()))],
  });
  const tracer = provider.getTracer('peer', '1.2.3');
  const root = tracer.startSpan('root', { kind: SpanKind.SERVER });
  const within = trace.setSpan(ROOT_CONTEXT, root);
  for (let index = 1; index < count; index++) {
    const links = index % 3 === 0 ? [{ context: root.spanContext(), attributes: { why: 'test' } }] : [];
    const attributes: Record<string, AttributeValue> = {
      n: index,
      big: 2 ** 53 - 1,
      negative: -index,
      ratio: index / 3,
      ok: true,
      route: '/item/{id}',
      '\u00e4': ['a', '\u20ac'],
      mixed: [1, 2.5],
    };
    const span = tracer.startSpan(`work \u00e4 ${index}`, { kind: index % 5, links, attributes }, within);
    span.addEvent('cache miss', { key: `k${index}`, tries: index });
    if (index % 5 === 0) span.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' });
    if (index % 7 === 0) span.recordException(new Error('no such item'));
    span.end();
  }
  root.end();
  await provider.shutdown();
}

async function sendLogs(): Promise<void> {
  const provider = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: tellingLogs(new Logs()) })],
  });
  const logger = provider.getLogger('peer.logs', '4.5.6');
  const bodies: AnyValue[] = [
    'plain \u20ac',
    42,
    0.25,
    true,
    ['a', 1],
    { nested: { deep: [1, 'two'] } },
    new Uint8Array([0, 255]),
  ];
  for (let index = 0; index < count; index++) {
    logger.emit({
      timestamp: [1_700_000_000, index],
      observedTimestamp: [1_700_000_001, index],
      ...(index % 2 === 0 ? { context: trace.setSpanContext(ROOT_CONTEXT, CONTEXT) } : {}),
      severityNumber: (index % 24) + 1,
      severityText: `level ${index}`,
      body: bodies[index % bodies.length],
      attributes: { index, ok: true, raw: new Uint8Array([1, 2]), map: { one: 1, two: '' } },
      ...(index % 4 === 0 ? { eventName: 'peer.event' } : {}),
    });
  }
  await provider.shutdown();
}

async function sendMetrics(): Promise<void> {
  const provider = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: tellingMetrics(new Metrics()),
        exportIntervalMillis: 3_600_000,
      }),
    ],
    views: [{ instrumentName: 'spread', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('peer.metrics', '7.8.9');
  const requests = meter.createCounter('requests', { unit: '{request}', description: 'Requests answered.' });
  const sent = meter.createCounter('sent', { unit: 'By' });
  const open = meter.createUpDownCounter('open', { unit: '{connection}' });
  const level = meter.createGauge('level', { unit: '1' });
  const latency = meter.createHistogram('latency', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.1, 0.5, 1] },
  });
  const spread = meter.createHistogram('spread', { unit: 'ms' });
  meter.createObservableGauge('temperature', { unit: 'Cel' }).addCallback((observer) => {
    observer.observe(-3.5, { room: 'north' });
    observer.observe(21, { room: 'south' });
  });
  for (let index = 0; index < 20; index++) {
    requests.add(index, { route: `/${index % 3}` });
    sent.add(index / 8);
    open.add((index % 3) - 1);
    level.record(index / 4);
    latency.record(index / 10, { route: '/a' });
    spread.record(1.5 ** index);
  }
  await provider.shutdown();
}

await sendSpans();
await sendLogs();
await sendMetrics();
