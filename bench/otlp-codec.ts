/**
 * Nanoseconds per span of the operations of src/otlp, printed as a table: `npx tsx bench/otlp-codec.ts [milliseconds]`.
 * Nothing is asserted; numbers depend on the machine. protobufjs is there for comparison.
 */
import os from 'node:os';
import { countSpans } from '../src/otlp/count.js';
import { decodeSpans } from '../src/otlp/decode.js';
import { appendToSpans } from '../src/otlp/edit.js';
import { fromJson } from '../src/otlp/json-reader.js';
import { toJson } from '../src/otlp/json-writer.js';
import { filterSpans, regroupByResource, splitBatch } from '../src/otlp/reshape.js';
import { SpanKind } from '../src/otlp/span-constants.js';
import { timeFromMs } from '../src/otlp/time.js';
import { spansOf, walkSpans } from '../src/otlp/trace-view.js';
import { encodeSpanFields, type SpanInput, TracesWriter } from '../src/otlp/trace-writer.js';
import { validate } from '../src/otlp/validate.js';

const SPANS = 512;
const budgetMs = Number(process.argv[2] ?? 400);
/** Results go here so that no operation is dead code. */
let sink = 0;
const add = (value: number): void => {
  sink += value;
};

const spanOf = (index: number): SpanInput => ({
  traceId: `4bf92f3577b34da6a3ce929d0e0e${(index + 4096).toString(16)}`,
  spanId: `00f067aa0ba9${(index + 4096).toString(16)}`,
  parentSpanId: 'b7ad6b7169203331',
  name: 'GET /api/orders/{id}',
  kind: SpanKind.server,
  startTime: timeFromMs(1_767_225_600_000 + index, 123_456),
  endTime: timeFromMs(1_767_225_600_012 + index, 654_321),
  attributes: {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/api/orders/8421',
    'http.route': '/api/orders/{id}',
    'server.address': 'shop.local',
    'server.port': 8080,
    'http.response.status_code': 200,
    'network.peer.address': '10.0.3.17',
    'network.peer.port': 51234,
    'user_agent.original': 'curl/8.5.0',
    'thread.id': 4711,
    'thread.name': 'worker-3',
  },
  flags: 0x101,
});

function batchOf(spans: readonly SpanInput[]): Uint8Array {
  writer.resource({ 'service.name': 'shop', 'service.version': '1.4.2', 'host.name': 'node-7' });
  writer.scope('@example/http', '1.0.0');
  for (const span of spans) writer.span(span);
  return writer.finish();
}

const writer = new TracesWriter(1024 * 1024);
const inputs = Array.from({ length: SPANS }, (_, index) => spanOf(index));
const batch = batchOf(inputs);
const json = toJson('traces', batch);
const event = encodeSpanFields({
  events: [
    {
      time: timeFromMs(1_767_225_600_001),
      name: 'net.wait',
      attributes: {
        duration_ns: 1_234_567,
        'thread.os_id': 4711,
        'thread.name': 'worker-3',
        'network.peer.address': '10.0.3.99',
        'network.peer.port': 5432,
        confidence: { double: 0.95 },
        evidence: 'traceparent,same_thread',
      },
    },
  ],
});
const everySpan = new Map(spansOf(batch).map((span) => [span.start, event]));

const operations: Record<string, () => void> = {
  'count by lengths': () => {
    sink += countSpans(batch);
  },
  'validate all fields': () => {
    sink += validate('traces', batch);
  },
  'walk, locate all fields of a span': () => walkSpans(batch, (span) => add(span.kind)),
  'walk, trace id and span id as text': () =>
    walkSpans(batch, (span) => add(span.traceId.length + span.spanId.length)),
  'walk, one attribute': () => walkSpans(batch, (span) => add(String(span.attribute('http.route')).length)),
  'walk, all attributes as object': () =>
    walkSpans(batch, (span) => add(Object.keys(span.attributes()).length)),
  'decode to plain objects': () => {
    sink += decodeSpans(batch).length;
  },
  encode: () => {
    sink += batchOf(inputs).length;
  },
  [`append an event of ${event.length} bytes to every span`]: () => {
    sink += appendToSpans(batch, everySpan).length;
  },
  'encode that event': () => {
    for (let index = 0; index < SPANS; index++) sink += encodeEvent(index).length;
  },
  'keep every other span': () => {
    let index = 0;
    sink += filterSpans(batch, () => (index++ & 1) === 0).bytes.length;
  },
  'split in 8': () => {
    sink += splitBatch('traces', batch, { maxItems: SPANS / 8 }).length;
  },
  'regroup by resource': () => {
    sink += regroupByResource(batch).length;
  },
  'protobuf to JSON': () => {
    sink += toJson('traces', batch).length;
  },
  'JSON to protobuf': () => {
    sink += fromJson('traces', json).length;
  },
};

function encodeEvent(index: number): Uint8Array {
  return encodeSpanFields({
    events: [
      {
        time: timeFromMs(1_767_225_600_001),
        name: 'net.wait',
        attributes: {
          duration_ns: 1_234_567 + index,
          'thread.os_id': 4711,
          'thread.name': 'worker-3',
          'network.peer.address': '10.0.3.99',
          'network.peer.port': 5432,
          confidence: { double: 0.95 },
          evidence: 'traceparent,same_thread',
        },
      },
    ],
  });
}

/** The fastest of many rounds of a millisecond: what the code can do, with the least of what else the machine did. */
function measure(operation: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  const until = performance.now() + budgetMs;
  do {
    const before = performance.now();
    let runs = 0;
    do {
      operation();
      runs++;
    } while (performance.now() - before < 1);
    best = Math.min(best, ((performance.now() - before) * 1e6) / runs / SPANS);
  } while (performance.now() < until);
  return best;
}

console.log(
  `${os.cpus()[0]?.model}, Node ${process.version}; ${SPANS} spans of ${Math.round(batch.length / SPANS)} bytes\n`,
);
console.log('operation                                             ns/span');
for (const [name, operation] of Object.entries(operations)) {
  console.log(`${name.padEnd(52)} ${measure(operation).toFixed(0).padStart(8)}`);
}
if (sink === 0) throw new Error('Nothing was measured.');
