/** Requests to send, encoded once before the load begins. */
import { gzipSync } from 'node:zlib';
import { timeFromMs } from '../../src/otlp/time.js';
import { TracesWriter } from '../../src/otlp/trace-writer.js';

/** So many different requests take turns, so that no cache holds the one that comes next. */
const VARIANTS = 8;

export interface RequestOptions {
  readonly spansPerRequest: number;
  readonly spanBytes: number;
  readonly compression: 'none' | 'gzip';
}

/** Bodies without gRPC prefix. */
export function encodeRequests(options: RequestOptions): { bodies: Buffer[]; bytesPerSpan: number } {
  const plain = Array.from({ length: VARIANTS }, (_, variant) => encode(options, variant));
  return {
    bodies: plain.map((bytes) => (options.compression === 'gzip' ? gzipSync(bytes) : bytes)),
    bytesPerSpan: plain[0]!.length / options.spansPerRequest,
  };
}

/** What an HTTP server instrumentation writes, in the order of importance; small spans have fewer attributes. */
const ATTRIBUTES: readonly (readonly [string, string | number])[] = [
  ['http.request.method', 'GET'],
  ['http.response.status_code', 200],
  ['url.path', '/api/orders/8421'],
  ['http.route', '/api/orders/{id}'],
  ['server.address', 'shop.example'],
  ['server.port', 8080],
  ['network.peer.address', '10.0.3.17'],
  ['network.peer.port', 51_234],
  ['url.scheme', 'https'],
  ['network.protocol.version', '1.1'],
  ['user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['thread.id', 4711],
  ['thread.name', 'worker-3'],
];

function encode({ spansPerRequest, spanBytes }: RequestOptions, variant: number): Buffer {
  const writer = new TracesWriter(spansPerRequest * spanBytes + 1024);
  writer.resource({ 'service.name': 'shop', 'service.version': '1.4.2', 'host.name': `node-${variant}` });
  writer.scope('@example/http', '1.0.0');
  for (let index = 0; index < spansPerRequest; index++) {
    const number = (variant * spansPerRequest + index).toString(16);
    writer.span({
      traceId: `4bf92f3577b34da6a3ce929d0e0e4736${number}`.slice(-32),
      spanId: `00f067aa0ba902b7${number}`.slice(-16),
      parentSpanId: 'b7ad6b7169203331',
      name: 'GET /api/orders',
      kind: 2,
      startTime: timeFromMs(1_767_225_600_000 + index, 123_456),
      endTime: timeFromMs(1_767_225_600_012 + index, 654_321),
      attributes: attributesOf(spanBytes),
    });
  }
  return Buffer.from(writer.finish());
}

/** Ids, times, name and kind without any attribute. */
const BARE_BYTES = 82;
/** Tags and lengths around a key and its value. */
const PAIR_BYTES = 8;

function attributesOf(spanBytes: number): Record<string, string | number> {
  const chosen: Record<string, string | number> = {};
  let left = spanBytes - BARE_BYTES;
  for (const [key, value] of ATTRIBUTES) {
    const size = key.length + (typeof value === 'string' ? value.length : 2) + PAIR_BYTES;
    if (size > left) break;
    chosen[key] = value;
    left -= size;
  }
  // Beyond what instrumentations write by themselves, users add texts: statements, headers, stacks.
  for (let index = 0; left >= 64; index++) {
    const length = Math.min(left - 24, 480);
    chosen[`app.context.${index}`] = 'SELECT o.id, o.state FROM orders o WHERE o.customer = $1; '
      .repeat(9)
      .slice(0, length);
    left -= length + 24;
  }
  return chosen;
}
