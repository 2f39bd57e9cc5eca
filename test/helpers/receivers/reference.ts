/** The receivers of a real Collector. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { stringify } from 'yaml';
import { REFERENCE_BINARY } from '../parity/reference.js';
import { ask, type Ports } from './ask.js';
import { Backend } from './backend.js';
import type { ReceiverAnswer, ReceiverAnswers, ReceiverCase } from './case.js';
import type { ExportCase } from './cases/zipkin-export.js';
import { comparableTraces, comparableZipkin, type ZipkinExport } from './compare.js';

/** Asks each case of a Collector that runs for as long as that takes. */
export async function askReferenceReceivers(cases: readonly ReceiverCase[]): Promise<ReceiverAnswers> {
  const backend = new Backend();
  const backendPort = await backend.start();
  const ports = await freePorts();
  const child = await startCollector(receiversConfig(backendPort, ports));
  try {
    const answers: Record<string, ReceiverAnswer> = {};
    for (const one of cases) {
      backend.verdict = one.verdict ?? 'ok';
      const answer = await ask(one, ports[one.receiver]!);
      const received = one.ask.kind === 'udp' ? await backend.next() : backend.take();
      answers[one.id] = { ...answer, ...(received.length === 0 ? {} : { spans: merged(received) }) };
    }
    return answers;
  } finally {
    child.kill();
    await once(child, 'close');
    backend.stop();
  }
}

const merged = (requests: readonly unknown[]): unknown =>
  comparableTraces({
    resourceSpans: requests.flatMap((one) => (one as { resourceSpans?: unknown[] }).resourceSpans ?? []),
  });

async function freePorts(): Promise<Record<string, Ports>> {
  const [zipkin, tags, jaegerHttp, grpc] = await Promise.all([freeTcp(), freeTcp(), freeTcp(), freeTcp()]);
  const [compact, binary] = await Promise.all([freeUdp(), freeUdp()]);
  return {
    zipkin: { http: zipkin },
    'zipkin/tags': { http: tags },
    jaeger: { http: jaegerHttp, grpc, compact, binary },
  };
}

async function freeTcp(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function freeUdp(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function receiversConfig(backendPort: number, ports: Record<string, Ports>): object {
  const at = (port: number | undefined) => ({ endpoint: `127.0.0.1:${port}` });
  const { jaeger } = ports;
  return {
    receivers: {
      zipkin: at(ports.zipkin?.http),
      'zipkin/tags': { ...at(ports['zipkin/tags']?.http), parse_string_tags: true },
      jaeger: {
        protocols: {
          grpc: at(jaeger?.grpc),
          thrift_http: at(jaeger?.http),
          thrift_compact: at(jaeger?.compact),
          thrift_binary: at(jaeger?.binary),
        },
      },
    },
    exporters: {
      otlphttp: {
        endpoint: `http://127.0.0.1:${backendPort}`,
        encoding: 'json',
        compression: 'none',
        sending_queue: { enabled: false },
        retry_on_failure: { enabled: false },
      },
    },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'info' } },
      pipelines: { traces: { receivers: ['zipkin', 'zipkin/tags', 'jaeger'], exporters: ['otlphttp'] } },
    },
  };
}

async function startCollector(config: object): Promise<ChildProcess> {
  const args = [`--config=yaml:${stringify(config)}`];
  const child = spawn(REFERENCE_BINARY, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      if (log.includes('Everything is ready')) resolve();
    });
    child.on('close', () => reject(new Error(`the Collector ended: ${log}`)));
  });
  return child;
}

/** What the `zipkin` exporter of a Collector sends for each case. */
export async function askReferenceZipkinExporter(
  cases: readonly ExportCase[],
): Promise<Record<string, ZipkinExport>> {
  const backend = new Backend();
  const endpoint = `http://127.0.0.1:${await backend.start()}/api/v2/spans`;
  const [json, proto] = await Promise.all([freeTcp(), freeTcp()]);
  const otlp = (port: number) => ({ protocols: { http: { endpoint: `127.0.0.1:${port}` } } });
  const child = await startCollector({
    receivers: { 'otlp/json': otlp(json), 'otlp/proto': otlp(proto) },
    exporters: { 'zipkin/json': { endpoint }, 'zipkin/proto': { endpoint, format: 'proto' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        'traces/json': { receivers: ['otlp/json'], exporters: ['zipkin/json'] },
        'traces/proto': { receivers: ['otlp/proto'], exporters: ['zipkin/proto'] },
      },
    },
  });
  try {
    const answers: Record<string, ZipkinExport> = {};
    for (const { id, request } of cases) {
      const sent = async (port: number): Promise<unknown> => {
        await fetch(`http://127.0.0.1:${port}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(request),
        });
        return backend.take()[0];
      };
      answers[id] = comparableZipkin({ json: await sent(json), proto: await sent(proto) });
    }
    return answers;
  } finally {
    child.kill();
    await once(child, 'close');
    backend.stop();
  }
}
