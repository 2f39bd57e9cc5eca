import type { MetricBatch } from '../../src/metrics/aggregator.js';
import { DEFAULT_LIMITS } from '../../src/observer/connections.js';
import type { CreateJoinEngine, SpanEdit } from '../../src/observer/join-types.js';
import { Observer, type ObserverOptions } from '../../src/observer/observer.js';
import { DEFAULT_JOIN } from '../../src/observer/observer-service.js';
import { createPassThroughEngine } from '../../src/observer/pass-through-engine.js';
import type { RecordedLookup } from '../../src/observer/process/recorded.js';
import { RecordingProcessTable } from '../../src/observer/process/recording.js';
import type { RecordingSink } from '../../src/observer/recording-format.js';
import { type SpanBatch, spanOptions } from '../../src/observer/span-builder.js';
import type { ProcessInfo, ProcessTable, Symbolizer } from '../../src/observer/types.js';
import { decodeSpans } from '../../src/otlp/decode.js';
import { timeFromMs } from '../../src/otlp/time.js';
import { ProtocolRegistry } from '../../src/protocols/registry.js';
import { NOP_LOGGER } from '../../src/telemetry/logger.js';
import { KernelModel } from './kernel-model.js';

/** CLOCK_REALTIME minus CLOCK_MONOTONIC in tests. */
export const OFFSET = timeFromMs(Date.UTC(2026, 0, 1));

export const testProcess = (tgid: number): ProcessInfo => ({
  tgid,
  startTicks: tgid,
  comm: 'node',
  executable: '/usr/bin/node',
  commandLine: ['node', 'app.js'],
  serviceName: tgid === 200 ? 'server' : 'client',
  resourceAttributes: { 'container.id': `c${tgid}` },
  namespacePid: tgid,
});

const known = new Map([100, 200].map((tgid) => [tgid, testProcess(tgid)]));

export const testProcesses: ProcessTable = {
  get: (tgid) => known.get(tgid),
  threadName: () => 'main',
  filePath: () => undefined,
  socketOwner: () => undefined,
  invalidate: () => {},
};
export const testSymbolizer: Symbolizer = {
  user: (_, addresses) => addresses.map((address) => `user_${address}`),
  kernel: (addresses) => addresses.map((address) => `kernel_${address}`),
};

export const TEST_OPTIONS: ObserverOptions = {
  limits: DEFAULT_LIMITS,
  spans: spanOptions('redacted', 'localhost', '0.0.0'),
  idSeed: 'test',
  join: DEFAULT_JOIN,
};

/** An observer without threads, fed by a kernel model. */
export class InlineObserver {
  readonly batches: SpanBatch[] = [];
  readonly metricBatches: MetricBatch[] = [];
  readonly answers: { id: number; edits: readonly SpanEdit[] }[] = [];
  readonly observer: Observer;
  readonly model: KernelModel;

  constructor(
    options: Partial<ObserverOptions> = {},
    createEngine: CreateJoinEngine = createPassThroughEngine,
    recording?: RecordingSink,
  ) {
    const report = (lookup: RecordedLookup) => recording?.lookup(lookup);
    this.observer = new Observer(
      { ...TEST_OPTIONS, ...options },
      {
        processes: new RecordingProcessTable(testProcesses, report),
        symbolizer: testSymbolizer,
        createEngine,
        output: {
          spans: (batch) => this.batches.push(batch),
          metrics: (batch) => this.metricBatches.push(batch),
          answer: (id, edits) => this.answers.push({ id, edits }),
        },
        log: NOP_LOGGER,
        protocols: new ProtocolRegistry(),
        recording,
      },
    );
    this.model = new KernelModel({
      onRecord: (record) => this.observer.records(record, record.length),
    });
    this.observer.clockMeasured(this.model.time, OFFSET, 50);
  }

  /** One request at both ends of a new connection. */
  exchange(port: number, request: string, response: string): void {
    const { client, server } = this.model.connect(['10.0.0.1', port], ['10.0.0.2', 8080]);
    client.send(request);
    server.receive(request);
    server.send(response);
    client.receive(response);
    client.close();
    server.close();
  }

  advance(ms: number): void {
    this.model.time += ms * 1e6;
    this.observer.advance(this.model.time);
  }

  get spans() {
    return this.batches.flatMap(({ bytes }) => decodeSpans(bytes));
  }
}
