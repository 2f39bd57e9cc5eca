/** Kindling's receivers, each by itself. */
import type { Receiver } from '../../../src/component/component.js';
import { PermanentError, RetryableError } from '../../../src/component/errors.js';
import { zipkinExporter } from '../../../src/exporters/zipkin/factory.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { jaegerReceiverConfig } from '../../../src/receiver/jaeger/config.js';
import { JaegerReceiver } from '../../../src/receiver/jaeger/jaeger.js';
import { skywalkingReceiverConfig } from '../../../src/receiver/skywalking/config.js';
import { SkywalkingReceiver } from '../../../src/receiver/skywalking/skywalking.js';
import { zipkinReceiverConfig } from '../../../src/receiver/zipkin/config.js';
import { ZipkinReceiver } from '../../../src/receiver/zipkin/zipkin.js';
import { batchOf, SYNCHRONOUS, startExporter } from '../otlp/exporter-harness.js';
import { CountingMetrics, NOP_HOST, Sink, settingsFor } from '../otlp/receiver-harness.js';
import { ask, type Ports } from './ask.js';
import { Backend } from './backend.js';
import type { ReceiverAnswer, ReceiverAnswers, ReceiverCase, Verdict } from './case.js';
import type { ExportCase } from './cases/zipkin-export.js';
import { comparableTraces, comparableZipkin, type ZipkinExport } from './compare.js';

export interface RunningApmReceiver {
  readonly receiver: Receiver;
  readonly ports: Ports;
  readonly sink: Sink;
  readonly metrics: CountingMetrics;
  stop(): Promise<void>;
}

const portOf = (address: unknown): number => (address as { readonly port: number }).port;

export async function startZipkin(settings: object = {}): Promise<RunningApmReceiver> {
  const config = zipkinReceiverConfig().parse({ endpoint: '127.0.0.1:0', ...settings });
  const sink = new Sink();
  const metrics = new CountingMetrics();
  const receiver = new ZipkinReceiver(settingsFor('zipkin', metrics), config, { traces: sink });
  await receiver.start(NOP_HOST);
  return running(receiver, { http: portOf(receiver.address) }, sink, metrics);
}

/** All protocols on free ports; `protocols` has more settings of each. */
export async function startJaeger(
  settings: object = {},
  protocols: Readonly<Record<string, object>> = {},
): Promise<RunningApmReceiver> {
  const at = (name: string) => ({ endpoint: '127.0.0.1:0', ...protocols[name] });
  const config = jaegerReceiverConfig().parse({
    protocols: {
      grpc: at('grpc'),
      thrift_http: at('thrift_http'),
      thrift_compact: at('thrift_compact'),
      thrift_binary: at('thrift_binary'),
      ...(protocols.sampling === undefined ? {} : { sampling: at('sampling') }),
    },
    ...settings,
  });
  const sink = new Sink();
  const metrics = new CountingMetrics();
  const receiver = new JaegerReceiver(settingsFor('jaeger', metrics), config, { traces: sink });
  await receiver.start(NOP_HOST);
  const ports: Ports = {
    http: portOf(receiver.address('thrift_http')),
    grpc: portOf(receiver.address('grpc')),
    compact: portOf(receiver.address('thrift_compact')),
    binary: portOf(receiver.address('thrift_binary')),
    ...(protocols.sampling === undefined ? {} : { sampling: portOf(receiver.address('sampling')) }),
  };
  return running(receiver, ports, sink, metrics);
}

export async function startSkywalking(
  settings: object = {},
  protocols: Readonly<Record<string, object>> = {},
): Promise<RunningApmReceiver> {
  const at = (name: string) => ({ endpoint: '127.0.0.1:0', ...protocols[name] });
  const config = skywalkingReceiverConfig().parse({
    protocols: { grpc: at('grpc'), http: at('http') },
    ...settings,
  });
  const sink = new Sink();
  const metrics = new CountingMetrics();
  const next = { traces: sink, metrics: sink, logs: sink };
  const receiver = new SkywalkingReceiver(settingsFor('skywalking', metrics), config, next);
  await receiver.start(NOP_HOST);
  const ports = { grpc: portOf(receiver.address('grpc')), http: portOf(receiver.address('http')) };
  return running(receiver, ports, sink, metrics);
}

function running(receiver: Receiver, ports: Ports, sink: Sink, metrics: CountingMetrics): RunningApmReceiver {
  return { receiver, ports, sink, metrics, stop: () => receiver.shutdown(AbortSignal.timeout(2000)) };
}

const STARTS: Readonly<Record<string, () => Promise<RunningApmReceiver>>> = {
  zipkin: () => startZipkin(),
  jaeger: () => startJaeger(),
  'zipkin/tags': () => startZipkin({ parse_string_tags: true }),
};

export const startReceiverOf = (name: string): Promise<RunningApmReceiver> => STARTS[name]!();

const sayTo = (sink: Sink, verdict: Verdict): void => {
  sink.answer = async () => {
    if (verdict === 'permanent') throw new PermanentError(BACKEND_SAID.permanent, { grpcStatus: 3 });
    if (verdict === 'transient') throw new RetryableError(BACKEND_SAID.transient, { grpcStatus: 14 });
  };
};

/** What the exporter of a Collector makes of the answer of a backend. */
export const BACKEND_SAID = {
  permanent:
    'Permanent error: rpc error: code = InvalidArgument desc = error exporting items, request to URL responded with HTTP Status Code 400',
  transient:
    'rpc error: code = Unavailable desc = error exporting items, request to URL responded with HTTP Status Code 503',
};

export async function askKindlingReceivers(cases: readonly ReceiverCase[]): Promise<ReceiverAnswers> {
  const started = new Map<string, RunningApmReceiver>();
  const answers: Record<string, ReceiverAnswer> = {};
  try {
    for (const one of cases) {
      const receiver = started.get(one.receiver) ?? (await startReceiverOf(one.receiver));
      started.set(one.receiver, receiver);
      const { sink } = receiver;
      sayTo(sink, one.verdict ?? 'ok');
      const seen = new Promise<void>((resolve) => {
        const answer = sink.answer;
        sink.answer = (batch) => answer(batch).finally(() => setImmediate(resolve));
      });
      const answer = await ask(one, receiver.ports);
      if (one.ask.kind === 'udp') await seen;
      const batches = sink.batches.splice(0);
      const groups = batches.flatMap(
        ({ bytes }) =>
          (JSON.parse(toJson('traces', bytes)) as { resourceSpans?: unknown[] }).resourceSpans ?? [],
      );
      answers[one.id] = {
        ...answer,
        ...(batches.length === 0 ? {} : { spans: comparableTraces({ resourceSpans: groups }) }),
      };
    }
  } finally {
    for (const receiver of started.values()) await receiver.stop();
  }
  return answers;
}

/** What the `zipkin` exporter sends for each case. */
export async function askZipkinExporter(cases: readonly ExportCase[]): Promise<Record<string, ZipkinExport>> {
  const backend = new Backend();
  const endpoint = `http://127.0.0.1:${await backend.start()}/api/v2/spans`;
  const start = (format: string) => startExporter(zipkinExporter, { ...SYNCHRONOUS, endpoint, format });
  const [json, proto] = await Promise.all([start('json'), start('proto')]);
  try {
    const answers: Record<string, ZipkinExport> = {};
    for (const { id, request } of cases) {
      const batch = batchOf('traces', fromJson('traces', JSON.stringify(request)));
      const sent = async ({ exporter }: typeof json): Promise<unknown> => {
        await exporter.consume(batch);
        return backend.take()[0];
      };
      answers[id] = comparableZipkin({ json: await sent(json), proto: await sent(proto) });
    }
    return answers;
  } finally {
    await Promise.all([json.stop(), proto.stop()]);
    backend.stop();
  }
}
