/** A trace as it leaves the join: four services' spans in one batch for each service, with Kindling's attributes. */
import type { TimeClass } from '../../src/observer/types.js';
import { SpanKind, StatusCode } from '../../src/otlp/span-constants.js';
import { addNs, type Time64, timeFromMs } from '../../src/otlp/time.js';
import { type SpanEventInput, TracesWriter } from '../../src/otlp/trace-writer.js';
import {
  ATTR_CONFIDENCE,
  ATTR_CPU_SAMPLES,
  ATTR_EVIDENCE,
  ATTR_HOT_STACK,
  ATTR_HOT_STACK_SAMPLES,
  ATTR_SOURCE,
  ATTR_THREADS,
  EVENT_COUNT,
  EVENT_DURATION,
  EVENT_FILE_PATH,
  EVENT_LOCK_ADDRESS,
  EVENT_MAX_DURATION,
  EVENT_NAMES,
  EVENT_SYSCALL,
  EVENT_THREAD_ID,
  EVENT_THREAD_NAME,
  EVENT_WAKER_PROCESS,
  EVENT_WAKER_THREAD,
  timeAttribute,
} from '../../src/semconv.js';

const MS = 1_000_000;

export interface SpanSketch {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly error?: boolean;
  readonly kernel?: boolean;
  readonly attributes?: Record<string, string | number>;
  /** Milliseconds in each class. */
  readonly breakdown?: Partial<Record<TimeClass, number>>;
  readonly events?: readonly SpanEventInput[];
  readonly hotStack?: string;
}

/** One encoded batch with one span. */
export const spanBatch = (sketch: SpanSketch): Uint8Array => {
  const writer = new TracesWriter();
  writer.resource({ 'service.name': sketch.service });
  writer.scope('test', '1');
  const startTime = timeFromMs(sketch.startMs);
  const times = Object.entries(sketch.breakdown ?? {}).map(([timeClass, ms]) => [
    timeAttribute(timeClass as TimeClass),
    Math.round(ms * MS),
  ]);
  writer.span({
    traceId: sketch.traceId,
    spanId: sketch.spanId,
    parentSpanId: sketch.parentSpanId,
    name: sketch.name,
    kind: sketch.kind,
    startTime,
    endTime: addNs(startTime, Math.round(sketch.durationMs * MS)),
    attributes: {
      ...sketch.attributes,
      ...(sketch.kernel === true ? { [ATTR_SOURCE]: 'kernel' } : {}),
      ...Object.fromEntries(times),
      ...(sketch.breakdown === undefined
        ? {}
        : { [ATTR_CONFIDENCE]: 0.95, [ATTR_EVIDENCE]: 'traceparent,same_thread', [ATTR_THREADS]: [4701] }),
      ...(sketch.hotStack === undefined
        ? {}
        : { [ATTR_HOT_STACK]: sketch.hotStack, [ATTR_HOT_STACK_SAMPLES]: 4, [ATTR_CPU_SAMPLES]: 6 }),
    },
    events: sketch.events,
    ...(sketch.error === true ? { status: { code: StatusCode.error, message: 'upstream failed' } } : {}),
  });
  return writer.finish();
};

/** An event of `timeClass`, `atMs` after the span's start. */
export const intervalEvent = (
  start: Time64,
  timeClass: TimeClass,
  atMs: number,
  durationMs: number,
  attributes: Record<string, string | number> = {},
): SpanEventInput => ({
  time: addNs(start, Math.round(atMs * MS)),
  name: EVENT_NAMES[timeClass],
  attributes: {
    [EVENT_DURATION]: Math.round(durationMs * MS),
    [EVENT_THREAD_ID]: 4701,
    [EVENT_THREAD_NAME]: 'node',
    ...attributes,
  },
});

export const LOCK_TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

/** load -> shop -> inventory, where the time goes to a lock; one batch for each process. */
export const lockTrace = (startMs: number, traceId = LOCK_TRACE_ID): Uint8Array[] => {
  const inventoryStart = timeFromMs(startMs + 2.6);
  const shopStart = timeFromMs(startMs + 0.5);
  const http = { 'http.request.method': 'GET', 'http.response.status_code': 200, 'url.path': '/stock/1007' };
  return [
    spanBatch({
      traceId,
      spanId: '00f067aa0ba902b7',
      service: 'load',
      name: 'GET',
      kind: SpanKind.client,
      startMs,
      durationMs: 121.9,
    }),
    spanBatch({
      traceId,
      spanId: '00f067aa0ba902b8',
      parentSpanId: '00f067aa0ba902b7',
      service: 'shop',
      name: 'GET /stock/{id}',
      kind: SpanKind.server,
      startMs: startMs + 0.5,
      durationMs: 120.8,
      attributes: { ...http, 'http.route': '/stock/{id}' },
      breakdown: { cpu: 2.31, runqueue: 0.12, idle: 118.37 },
      events: [
        intervalEvent(shopStart, 'cpu', 0, 1.4),
        intervalEvent(shopStart, 'idle', 1.4, 118.37, { [EVENT_SYSCALL]: 'epoll_wait' }),
        intervalEvent(shopStart, 'cpu', 119.77, 0.91),
      ],
    }),
    spanBatch({
      traceId,
      spanId: '00f067aa0ba902b9',
      parentSpanId: '00f067aa0ba902b8',
      service: 'shop',
      name: 'GET',
      kind: SpanKind.client,
      startMs: startMs + 1.7,
      durationMs: 118.8,
      attributes: { 'url.full': 'http://127.0.0.1:41517/stock/1007', 'http.response.status_code': 200 },
    }),
    spanBatch({
      traceId,
      spanId: '00f067aa0ba902ba',
      parentSpanId: '00f067aa0ba902b9',
      service: 'inventory',
      name: 'GET /stock/{id}',
      kind: SpanKind.server,
      startMs: startMs + 2.6,
      durationMs: 116.2,
      attributes: { ...http, 'http.route': '/stock/{id}' },
      breakdown: { cpu: 1.9, runqueue: 0.31, lock: 109.2, disk: 3.1, unattributed: 1.69 },
      events: [
        intervalEvent(inventoryStart, 'cpu', 0, 0.9),
        intervalEvent(inventoryStart, 'lock', 0.9, 109.2, {
          [EVENT_LOCK_ADDRESS]: '0x7f12ab340010',
          [EVENT_WAKER_THREAD]: 'stock-clerk (4712)',
          [EVENT_WAKER_PROCESS]: 'inventory (4701)',
        }),
        intervalEvent(inventoryStart, 'runqueue', 110.1, 0.31),
        {
          time: addNs(inventoryStart, 110 * MS),
          name: EVENT_NAMES.disk,
          attributes: { [EVENT_DURATION]: 0.7 * MS, [EVENT_COUNT]: 9, [EVENT_MAX_DURATION]: 0.1 * MS },
        },
        intervalEvent(inventoryStart, 'disk', 110.5, 2.4, {
          [EVENT_FILE_PATH]: '/srv/inventory/shelf.db',
          [EVENT_SYSCALL]: 'fsync',
        }),
        intervalEvent(inventoryStart, 'cpu', 113.6, 1),
      ],
      hotStack:
        '_start;node::Start(int, char**);JS:~processTicksAndRejections node:internal/process/task_queues:67:35;' +
        'JS:*handleRequest file:///srv/demo/services/inventory.mjs:30:12;JS:*countOnShelf file:///srv/demo/services/inventory.mjs:21:22',
    }),
  ];
};
