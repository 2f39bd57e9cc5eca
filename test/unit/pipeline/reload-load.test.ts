/**
 * Reloads under load, with real OTLP on both sides: senders number their spans over connections that stay open, a backend
 * counts what arrives. Acknowledged must be delivered, and no connection may break while its receiver stays.
 */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { afterEach, describe, expect, it } from 'vitest';
import { COMPONENTS } from '../../../src/components.js';
import { checkConfig } from '../../../src/config/check.js';
import { loadConfig } from '../../../src/config/load.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';
import { Agent } from '../../../src/pipeline/agent.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { freePort } from '../../helpers/agent.js';
import { CaptureLogger } from '../../helpers/capture-logger.js';
import { startReceiver } from '../../helpers/otlp/receiver-harness.js';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const RELOADS = 50;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Shape {
  readonly grpcPort: number;
  readonly otherPort: number;
  readonly backend: number;
  readonly batch: 'none' | 'small' | 'large';
  readonly exporter: string;
  readonly queue: boolean;
  readonly metricsToo: boolean;
  readonly health: boolean;
  readonly tag: number;
}

const yamlOf = (shape: Shape): string => `
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${shape.grpcPort}"}}}
  otlp/other: {protocols: {grpc: {endpoint: "127.0.0.1:${shape.otherPort}"}}}
processors:
  batch: {timeout: ${shape.batch === 'small' ? '1ms' : '5ms'}, send_batch_size: ${shape.batch === 'large' ? 500 : 5}}
  attributes: {actions: [{key: reload, value: ${shape.tag}, action: upsert}]}
exporters:
  nop:
  otlp_grpc/${shape.exporter}:
    endpoint: "127.0.0.1:${shape.backend}"
    tls: {insecure: true}
    sending_queue: {enabled: ${shape.queue}}
extensions: {health_check: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [${shape.health ? 'health_check' : ''}]
  pipelines:
    traces:
      receivers: [otlp, otlp/other]
      processors: [attributes${shape.batch === 'none' ? '' : ', batch'}]
      exporters: [otlp_grpc/${shape.exporter}]
    ${shape.metricsToo ? 'metrics: {receivers: [otlp], exporters: [nop]}' : ''}
`;

const read = async (shape: Shape) => {
  const root = await loadConfig({ uris: [`yaml:${yamlOf(shape)}`] }, { env: {}, note: () => {} });
  const checked = checkConfig(root, COMPONENTS);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.config;
};

/** One connection that sends a numbered span at a time until told to stop. */
class Sender {
  readonly name: number;
  readonly port: () => number;
  readonly canReconnect: boolean;
  readonly acknowledged: string[] = [];
  refused = 0;
  broken = 0;
  #session: http2.ClientHttp2Session | undefined;
  #stopped = false;
  readonly #ends: Promise<void>;

  constructor(name: number, port: () => number, canReconnect: boolean) {
    this.name = name;
    this.port = port;
    this.canReconnect = canReconnect;
    this.#ends = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ends;
    this.#session?.destroy();
  }

  async #run(): Promise<void> {
    for (let number = 1; !this.#stopped; number++) {
      const spanId = `${this.name.toString(16).padStart(4, '0')}${number.toString(16).padStart(12, '0')}`;
      const status = await this.#send(spanId).catch(() => 'broken');
      if (status === '0') this.acknowledged.push(spanId);
      else if (status === 'broken') {
        this.broken++;
        if (!this.canReconnect) return;
      } else this.refused++;
    }
  }

  async #send(spanId: string): Promise<string> {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      if (this.#session !== undefined && !this.canReconnect) throw new Error('the connection was closed');
      this.#session = http2.connect(`http://127.0.0.1:${this.port()}`);
      this.#session.on('error', () => {});
      await once(this.#session, 'connect');
    }
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    const take = (headers: http2.IncomingHttpHeaders) => {
      status = headers['grpc-status'] ?? status;
    };
    stream.on('response', take).on('trailers', take).resume();
    const body = request(spanId);
    const frame = Buffer.alloc(5 + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, 5);
    stream.end(frame);
    await once(stream, 'close');
    if (typeof status !== 'string') throw new Error('no answer');
    return status;
  }
}

function request(spanId: string): Uint8Array {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'numbers' });
  writer.scope('test');
  writer.span({
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId,
    name: 'n',
    kind: 2,
    startTime: { hi: 1, lo: 1 },
    endTime: { hi: 1, lo: 2 },
    attributes: {},
  });
  return writer.finish();
}

describe('reloads under load', () => {
  it(`deliver all that was acknowledged, through ${RELOADS} of them, and break no connection`, async () => {
    const backends = [await startReceiver(), await startReceiver()];
    for (const backend of backends) closers.push(() => backend.stop());
    const [grpcPort, ...otherPorts] = [await freePort(), await freePort(), await freePort()];
    let shape: Shape = {
      grpcPort: grpcPort!,
      otherPort: otherPorts[0]!,
      backend: backends[0]!.grpcPort,
      batch: 'small',
      exporter: 'a',
      queue: true,
      metricsToo: false,
      health: false,
      tag: 0,
    };
    const logger = new CaptureLogger();
    const agent = new Agent({
      logger,
      registry: new MetricsRegistry(),
      shutdownTimeoutMs: 20_000,
      version: 'test',
      onStopRequest: () => {},
    });
    await agent.start(await read(shape));
    closers.push(() => agent.stop());

    const steady = [1, 2, 3, 4].map((name) => new Sender(name, () => shape.grpcPort, false));
    const moving = new Sender(9, () => shape.otherPort, true);
    const changes: ((shape: Shape, turn: number) => Partial<Shape>)[] = [
      (_, turn) => ({ tag: turn }),
      ({ backend }) => ({
        backend: backend === backends[0]!.grpcPort ? backends[1]!.grpcPort : backends[0]!.grpcPort,
      }),
      ({ metricsToo }) => ({ metricsToo: !metricsToo }),
      ({ otherPort }) => ({ otherPort: otherPort === otherPorts[0] ? otherPorts[1]! : otherPorts[0]! }),
      ({ health }) => ({ health: !health }),
      ({ batch }) => ({ batch: batch === 'none' ? 'large' : batch === 'large' ? 'small' : 'none' }),
      ({ exporter }) => ({ exporter: exporter === 'a' ? 'b' : 'a' }),
      ({ queue }) => ({ queue: !queue }),
    ];
    const enough = async (count: number): Promise<void> => {
      const sent = () => steady.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
      while (sent() < count && steady.every(({ broken }) => broken === 0)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    for (let turn = 1; turn <= RELOADS; turn++) {
      // Some load between any two reloads, and the reload in the midst of it.
      await enough(turn * 20);
      shape = { ...shape, ...changes[turn % changes.length]!(shape, turn) };
      expect(await agent.reload(await read(shape))).toBe('new');
    }
    await Promise.all([...steady, moving].map((sender) => sender.stop()));
    await agent.stop();

    expect(steady.map(({ broken, refused }) => ({ broken, refused }))).toEqual(
      steady.map(() => ({ broken: 0, refused: 0 })),
    );
    // It was the receiver's own configuration that moved its port, so its connections did break.
    expect(moving.broken).toBeGreaterThan(0);
    const delivered = new Set<string>();
    for (const { sink } of backends) {
      for (const { bytes } of sink.batches) {
        for (const [, id] of toJson('traces', bytes).matchAll(/"spanId":"([0-9a-f]{16})"/g))
          delivered.add(id!);
      }
    }
    const acknowledged = [...steady, moving].flatMap((sender) => sender.acknowledged);
    expect(acknowledged.length).toBeGreaterThan(RELOADS * 20);
    expect(acknowledged.filter((id) => !delivered.has(id))).toEqual([]);
    expect(
      agent.snapshot().accounts.filter(({ unaccounted, held }) => unaccounted !== 0 || held !== 0),
    ).toEqual([]);
  }, 60_000);
});
