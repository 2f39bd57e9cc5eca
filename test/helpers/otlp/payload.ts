import { LogsWriter } from '../../../src/otlp/logs-writer.js';
import { MetricsWriter } from '../../../src/otlp/metrics-writer.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';

/** A trace with `spans` spans, one of them with an attribute of `paddingBytes`. */
export function tracesRequest(spans: number, paddingBytes = 0): Uint8Array {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'shop' });
  writer.scope('test', '1.0');
  for (let index = 0; index < spans; index++) {
    writer.span({
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: (index + 1).toString(16).padStart(16, '0'),
      name: `GET /item/${index}`,
      kind: 2,
      startTime: { hi: 0x1600_0000, lo: index },
      endTime: { hi: 0x1600_0000, lo: index + 1000 },
      attributes: index === 0 && paddingBytes > 0 ? { padding: 'x'.repeat(paddingBytes) } : { n: index },
    });
  }
  return writer.finish();
}

export function metricsRequest(): Uint8Array {
  const writer = new MetricsWriter();
  writer.resource({ 'service.name': 'shop' });
  writer.scope('test');
  writer.gauge({ name: 'queue.size' }, [
    { time: { hi: 1, lo: 2 }, asInt: 7 },
    { time: { hi: 1, lo: 3 }, asInt: 8 },
  ]);
  return writer.finish();
}

export function logsRequest(): Uint8Array {
  const writer = new LogsWriter();
  writer.resource({ 'service.name': 'shop' });
  writer.scope('test');
  writer.logRecord({ time: { hi: 1, lo: 2 }, body: 'hello' });
  return writer.finish();
}
