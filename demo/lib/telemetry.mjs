/**
 * The OpenTelemetry SDK of a demo service, set up the way an application's own start-up file would do it. Loaded with
 * `node --import`, before the service. Nothing in it knows of Kindling: the spans go to OTEL_EXPORTER_OTLP_ENDPOINT.
 */
import { createRequire } from 'node:module';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://127.0.0.1:4318';

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({
    'service.name': process.env.OTEL_SERVICE_NAME ?? 'demo',
    'service.namespace': 'kindling-demo',
    'process.pid': process.pid,
  }),
  spanProcessors: [
    new BatchSpanProcessor(
      new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 2000 }),
      // The default is 5 s; a demo wants to be seen at once.
      { scheduledDelayMillis: 500, maxQueueSize: 2048 },
    ),
  ],
});
provider.register();

registerInstrumentations({ tracerProvider: provider, instrumentations: [new HttpInstrumentation()] });
// The instrumentation patches `http` when it is first required; ES modules then see the patched object.
createRequire(import.meta.url)('node:http');

/** Sends what is still queued; at most a second, because the agent may be gone already. */
export const flushTelemetry = () =>
  Promise.race([
    provider.shutdown().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 1000).unref()),
  ]);
