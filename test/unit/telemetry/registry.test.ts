import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { accountingTable } from '../../../src/telemetry/accounting-table.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { RegistryMetricProducer } from '../../../src/telemetry/registry-metric-producer.js';

describe('MetricsRegistry', () => {
  it('prefers what a component counts itself to what passes its edges', () => {
    const registry = new MetricsRegistry();
    const { own, edges } = registry.account({ kind: 'exporter', id: 'queued' });
    edges.received('traces', 10);
    edges.sent('traces', 10);
    edges.received('logs', 4);
    edges.dropped('logs', 4, 'refused');
    own.received('traces', 10);
    own.held('traces', 7);
    own.sent('traces', 2);
    own.dropped('traces', 1, 'permanent');
    expect(registry.snapshot().accounts).toMatchObject([
      { unit: 'traces', received: 10, sent: 2, dropped: { permanent: 1 }, held: 7, unaccounted: 0 },
      { unit: 'logs', received: 4, sent: 0, dropped: { refused: 4 }, held: 0, unaccounted: 0 },
    ]);
  });

  it('adds what a filter takes out to what passes its edges', () => {
    const registry = new MetricsRegistry();
    const { own, edges } = registry.account({ kind: 'processor', id: 'filter', instance: 'traces' });
    edges.received('traces', 10);
    edges.sent('traces', 7);
    own.dropped('traces', 3, 'filtered');
    edges.received('traces', 2);
    edges.dropped('traces', 2, 'refused');
    expect(registry.snapshot().accounts).toMatchObject([
      { received: 12, sent: 7, dropped: { filtered: 3, refused: 2 }, held: 0, unaccounted: 0 },
    ]);
  });

  it('does not take accepted for sent when a queue sent nothing yet', () => {
    const registry = new MetricsRegistry();
    const { own, edges } = registry.account({ kind: 'exporter', id: 'queued' });
    edges.received('traces', 10);
    own.received('traces', 10);
    own.held('traces', 10);
    edges.sent('traces', 10);
    expect(registry.snapshot().accounts).toMatchObject([{ received: 10, sent: 0, held: 10, unaccounted: 0 }]);
  });

  it('shows what does not add up', () => {
    const registry = new MetricsRegistry();
    const { own } = registry.account({ kind: 'processor', id: 'leaky', instance: 'traces' });
    own.received('traces', 5);
    own.sent('traces', 3);
    const { accounts } = registry.snapshot();
    expect(accounts[0]?.unaccounted).toBe(2);
    expect(accountingTable(accounts)).toContain('unaccounted=2');
  });

  it('keeps one account per instance, over reloads', () => {
    const registry = new MetricsRegistry();
    const identity = { kind: 'processor', id: 'batch', instance: 'traces' } as const;
    expect(registry.account({ ...identity })).toBe(registry.account({ ...identity }));
    expect(registry.account({ ...identity, instance: 'logs' })).not.toBe(registry.account(identity));
  });

  it('adds counters up, replaces gauges, and bounds the label sets', () => {
    const registry = new MetricsRegistry();
    const { own } = registry.account({ kind: 'receiver', id: 'ebpf' });
    own.count('lost', 2, { ring: 'net', cpu: '1' });
    own.count('lost', 3, { cpu: '1', ring: 'net' });
    own.gauge('depth', 5);
    own.gauge('depth', 4);
    for (let i = 0; i < 5000; i++) own.count('many', 1, { n: String(i) });
    const { samples } = registry.snapshot();
    expect(samples.find(({ name }) => name === 'lost')?.value).toBe(5);
    expect(samples.find(({ name }) => name === 'depth')?.value).toBe(4);
    const many = samples.filter(({ name }) => name === 'many');
    expect(many).toHaveLength(2001);
    expect(many.at(-1)).toMatchObject({ labels: { overflow: 'true' }, value: 3000 });
  });

  it('prints a table that can be read', () => {
    const registry = new MetricsRegistry();
    const { own } = registry.account({ kind: 'exporter', id: 'otlp_grpc', instance: 'traces' });
    own.received('traces', 120);
    own.sent('traces', 100);
    own.dropped('traces', 20, 'queue_full');
    expect(accountingTable(registry.snapshot().accounts).split('\n')).toEqual([
      'component                    unit    received  sent  dropped  held  reasons',
      'exporter otlp_grpc (traces)  traces       120   100       20     0  queue_full=20',
    ]);
  });
});

describe('RegistryMetricProducer', () => {
  it('hands the numbers to the metrics SDK', async () => {
    const registry = new MetricsRegistry();
    const { own } = registry.account({ kind: 'exporter', id: 'otlp_grpc', instance: 'traces' });
    own.received('traces', 120);
    own.dropped('traces', 20, 'queue_full');
    own.gauge('queue_size', 0.5);
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 3_600_000,
      metricProducers: [new RegistryMetricProducer(registry, () => 1500)],
    });
    const provider = new MeterProvider({ readers: [reader] });
    await provider.forceFlush();
    const metrics = exporter.getMetrics()[0]!.scopeMetrics.flatMap((scope) => scope.metrics);
    const find = (name: string) => metrics.find(({ descriptor }) => descriptor.name === name);
    expect(find('kindling.component.dropped')).toMatchObject({
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [
        {
          startTime: [1, 500_000_000],
          value: 20,
          attributes: {
            'otelcol.component.id': 'otlp_grpc',
            'otelcol.component.kind': 'exporter',
            'otelcol.signal': 'traces',
            reason: 'queue_full',
          },
        },
      ],
    });
    expect(find('kindling.exporter.queue_size')).toMatchObject({ dataPointType: DataPointType.GAUGE });
    await provider.shutdown();
  });
});
