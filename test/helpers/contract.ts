/**
 * What every component promises (see `src/component/component.ts`), as checks that run on each entry of the list of
 * components. A component that needs settings to be created says so in `EXAMPLES`.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Component, Consumer } from '../../src/component/component.js';
import type { AnyFactory, ExporterFactory, ProcessorFactory } from '../../src/component/factory.js';
import type { Batch, Signal } from '../../src/component/signal.js';
import { batchOf, testSettings } from './batches.js';
import { type PipelineHarness, startPipeline } from './pipeline.js';

/** Settings for components whose defaults are not enough, or would touch the machine. Loopback and port 0 only. */
const EXAMPLES: Readonly<Record<string, () => unknown>> = {
  'extension basicauth': () => ({ htpasswd: { inline: 'user:password' } }),
  'extension bearertokenauth': () => ({ token: 'secret' }),
  'extension file_storage': () => ({ directory: temporaryFolder() }),
  'extension health_check': () => ({ endpoint: '127.0.0.1:0' }),
  'extension pprof': () => ({ endpoint: '127.0.0.1:0' }),
  'extension zpages': () => ({ endpoint: '127.0.0.1:0' }),
  'exporter file': () => ({ path: join(temporaryFolder(), 'out.json') }),
  'exporter otlp_grpc': () => ({ endpoint: '127.0.0.1:1', tls: { insecure: true }, timeout: '1s' }),
  'exporter otlp_http': () => ({ endpoint: 'http://127.0.0.1:1', timeout: '1s' }),
  'exporter prometheus': () => ({ endpoint: '127.0.0.1:0' }),
  'exporter store': () => ({ directory: temporaryFolder() }),
  'exporter zipkin': () => ({ endpoint: 'http://127.0.0.1:1/api/v2/spans', timeout: '1s' }),
  'processor attributes': () => ({ actions: [{ key: 'k', value: 1, action: 'upsert' }] }),
  'processor memory_limiter': () => ({ check_interval: '1s', limit_percentage: 100 }),
  'processor probabilistic_sampler': () => ({ sampling_percentage: 100, fail_closed: false }),
  'processor resource': () => ({ attributes: [{ key: 'k', value: 1, action: 'upsert' }] }),
  'processor tail_sampling': () => ({ policies: [{ name: 'all', type: 'always_sample' }] }),
  'receiver jaeger': () => ({ protocols: { thrift_compact: { endpoint: '127.0.0.1:0' } } }),
  'receiver otlp': () => ({
    protocols: { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } },
  }),
  'receiver skywalking': () => ({ protocols: { grpc: { endpoint: '127.0.0.1:0' } } }),
  'receiver zipkin': () => ({ endpoint: '127.0.0.1:0' }),
  'receiver replay': () => ({ file: join(temporaryFolder(), 'no-such-recording') }),
};

const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'kindling-contract-'));

export const exampleConfig = (factory: AnyFactory): unknown =>
  EXAMPLES[`${factory.kind} ${factory.type}`]?.() ?? {};

/** Creates one instance for each signal (or route), feeding `next`. */
export function createAll(factory: AnyFactory, next: Consumer = NOWHERE): Component[] {
  const config = factory.config().parse(exampleConfig(factory));
  const settings = () => testSettings({ kind: factory.kind, id: factory.type });
  switch (factory.kind) {
    case 'receiver':
      return [
        factory.create(
          settings(),
          config,
          Object.fromEntries(factory.signals.map((signal) => [signal, next])),
        ),
      ];
    case 'processor':
      return factory.signals.map((signal) => factory.create(settings(), config, signal, next));
    case 'exporter':
      return factory.signals.map((signal) => factory.create(settings(), config, signal));
    case 'connector':
      return factory.routes.map(({ from, to }) => factory.create(settings(), config, from, next, to));
    case 'extension':
      return [factory.create(settings(), config)];
  }
}

export const NOWHERE: Consumer = { consume: async () => {} };

/** Signals that the test receiver can send and this component takes. */
const testSignals = (factory: ProcessorFactory | ExporterFactory): Signal[] =>
  (['traces', 'metrics', 'logs'] as const).filter((signal) => factory.signals.includes(signal));

export interface Run {
  readonly harness: PipelineHarness;
  /** Items that the first consumer accepted (its promise resolved). */
  readonly accepted: number;
}

/**
 * Runs `in -> factory` (an exporter) or `in -> factory -> out` (a processor), sends `batches` batches of growing size, and
 * stops within `shutdownTimeoutMs`. `onExport` decides about each batch that reaches `out`.
 */
export async function runThrough(
  factory: ProcessorFactory | ExporterFactory,
  signal: Signal,
  onExport: (batch: Batch) => void,
  { batches = 5, shutdownTimeoutMs = 300 } = {},
): Promise<Run> {
  const isExporter = factory.kind === 'exporter';
  const harness = await startPipeline(
    stringify({
      receivers: { in: {} },
      exporters: isExporter ? { [factory.type]: exampleConfig(factory) } : { out: {} },
      processors: isExporter ? {} : { [factory.type]: exampleConfig(factory) },
      service: {
        pipelines: {
          [signal]: {
            receivers: ['in'],
            processors: isExporter ? [] : [factory.type],
            exporters: [isExporter ? factory.type : 'out'],
          },
        },
      },
    }),
    { shutdownTimeoutMs },
  );
  harness.onExport.set('out', onExport);
  let accepted = 0;
  for (let count = 1; count <= batches; count++) {
    try {
      await harness.next(signal).consume(batchOf(count, signal));
      accepted += count;
    } catch {
      // Refused: the sender still has it.
    }
  }
  await harness.agent.stop();
  return { harness, accepted };
}

export { testSignals };
