import { describe, expect, it } from 'vitest';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import {
  batchOf,
  classesOf,
  OTHER_TRACE,
  profiled,
  type SpanSpec,
  spanId,
  TRACE,
  World,
} from './join-helpers.js';
import { inetSocket, MS, randomFrom } from './timeline-helpers.js';

const APP = 10;
const context = (id: string, traceId = TRACE) => ({
  traceId,
  spanId: id,
  sampled: true,
  carrier: 'traceparent',
});

/** A thread that serves one request of 60 ms: lock 15 of thread 12, database 20, sleep 5, disk 8, CPU 12. */
function serveOne(world: World, tgid = APP, tid = 11, at = 1000 * MS, cookie = 1) {
  const thread = world.thread(tgid, tid, at - 20 * MS);
  thread.read(20 * MS, cookie, 50_000);
  const start = thread.now;
  thread
    .run(2 * MS)
    .lock(15 * MS, 12)
    .run(3 * MS)
    .send(2, 'client', 5432)
    .read(20 * MS, 2, 5432);
  thread
    .run(1 * MS)
    .sleep(5 * MS)
    .run(4 * MS)
    .disk(8 * MS)
    .run(2 * MS)
    .send(cookie, 'server');
  return { thread, start, end: thread.now };
}

const server = (start: number, end: number, overrides: Partial<SpanSpec> = {}): SpanSpec => ({
  spanId: spanId(2),
  parentSpanId: spanId(1),
  kind: SpanKind.server,
  start,
  end,
  ...overrides,
});

const SERVED = { cpu: 12, lock: 15, net: 20, sleep: 5, disk: 8 };

describe('a program with one thread for each request', () => {
  it('is explained exactly, on the span of its SDK, and the exchange does not appear again', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 3000 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 20_000 * MS);
    const span = world.spans(id)![0]!;
    expect(classesOf(span)).toEqual(SERVED);
    expect(span.attribute('kindling.time.unattributed_ns')).toBe(0);
    expect(span.attribute('kindling.join.confidence')).toBe(0.95);
    expect(span.attribute('kindling.join.evidence')).toBe('traceparent,same_thread');
    expect(span.attribute('kindling.threads')).toEqual([11]);
    expect(world.emitted).toEqual([]);
    expect(world.engine.stats()).toMatchObject({
      spans_enriched: 1,
      exchanges_joined: 1,
      exchanges_emitted: 0,
      join_exchanges_held: 0,
      join_queries_held: 0,
    });
  });

  it.each([
    ['sw8', spanId(1)],
    ['uber-trace-id', spanId(1)],
    ['b3', spanId(1)],
    // Brave's server spans have the id of the client's.
    ['b3', spanId(2)],
    ['x-b3-traceid', spanId(2)],
  ])('is explained by the context of %s with span %s', (carrier, id) => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: { ...context(id), carrier },
    });
    const query = world.ask(end + 3000 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 20_000 * MS);
    const span = world.spans(query)![0]!;
    expect(classesOf(span)).toEqual(SERVED);
    expect(span.attribute('kindling.join.confidence')).toBe(0.95);
    expect(world.emitted).toEqual([]);
  });

  it('does not take its own id for that of a caller where no carrier shares ids', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(2)),
    });
    const query = world.ask(end + 3000 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 20_000 * MS);
    expect(world.spans(query)?.[0]?.attribute('kindling.join.evidence')).not.toBe('traceparent,same_thread');
  });

  it('tells the longest waits with peer, file, lock and waker, inside the span and in order', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 3000 * MS);
    const span = world.spans(id)![0]!;
    const events = span.events();
    const named = (name: string) => events.filter((event) => event.name === name);
    expect(named('lock.wait')[0]!.attributes).toEqual({
      duration_ns: 15 * MS,
      'thread.os_id': 11,
      'thread.name': 'thread11',
      syscall: 'futex',
      'lock.address': '0x1000',
      'waker.thread': 'thread12 (12)',
      confidence: 0.95,
      evidence: 'traceparent,same_thread',
    });
    expect(named('net.wait')[0]!.attributes).toMatchObject({
      duration_ns: 20 * MS,
      'network.peer.address': '10.0.0.9',
      'network.peer.port': 5432,
    });
    expect(named('disk.wait')[0]!.attributes).toMatchObject({
      'file.path': '/var/lib/data.db',
      syscall: 'fsync',
    });
    expect(named('sleep')[0]!.attributes).toMatchObject({ duration_ns: 5 * MS });
    expect(named('cpu.on')).toHaveLength(5);
    let sum = 0;
    let before = span.startTime;
    for (const event of events) {
      sum += event.attributes.duration_ns as number;
      expect(event.time.hi * 2 ** 32 + event.time.lo).toBeGreaterThanOrEqual(before.hi * 2 ** 32 + before.lo);
      before = event.time;
    }
    expect(sum).toBe(end - start);
  });

  it('merges what exceeds the budget of events, and the durations still sum', () => {
    const world = new World({ config: { maxEvents: 16 } });
    const thread = world.thread(APP, 11, 1000 * MS);
    const start = thread.now;
    thread.receive(1, 'server');
    for (let index = 1; index <= 100; index++) thread.run(index * 1000).lock(index * 2000);
    thread.run(1000).send(1, 'server');
    const end = thread.now;
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 3000 * MS);
    const events = world.spans(id)![0]!.events();
    expect(events.length).toBeLessThanOrEqual(16);
    const merged = events.filter((event) => event.attributes.count !== undefined);
    expect(merged.map(({ name }) => name).sort()).toEqual(['cpu.on', 'lock.wait']);
    const sum = events.reduce((total, event) => total + (event.attributes.duration_ns as number), 0);
    expect(sum).toBe(end - start);
  });

  it('adds up for spans that begin before and end after what is known', () => {
    const world = new World();
    const { thread, start, end } = serveOne(world);
    thread.run(1 * MS).read(50 * MS, 1, 50_000);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([server(start - 1 * MS, end + 3 * MS)]), APP);
    world.play(end + 3000 * MS);
    // Before the request it slept, after the response it worked 1 ms and then waited for the next request.
    expect(classesOf(world.spans(id)![0]!)).toEqual({ ...SERVED, cpu: 13, unattributed: 3 });
  });

  it('inherits the thread for inner spans, whichever batch their parent comes in', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const inner = (number: number, parent: number): SpanSpec => ({
      spanId: spanId(number),
      parentSpanId: spanId(parent),
      kind: SpanKind.internal,
      start: start + 1 * MS,
      end: start + 19 * MS,
    });
    const early = world.ask(end + 50 * MS, batchOf([inner(4, 3), inner(3, 2)]), APP);
    const late = world.ask(end + 60 * MS, batchOf([inner(5, 3), server(start, end)]), APP);
    world.play(end + 5000 * MS);
    for (const span of [...world.spans(early)!, world.spans(late)![0]!]) {
      expect(classesOf(span)).toEqual({ cpu: 3, lock: 15 });
      expect(span.attribute('kindling.join.confidence')).toBe(0.85);
      expect(span.attribute('kindling.join.evidence')).toBe('traceparent,inherited,same_thread');
    }
  });

  it('does not give an inner span to a thread that slept when it started or ended', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    // Another thread did this while the request's thread waited for the lock; 1234 ns: not a clock of milliseconds.
    const inner: SpanSpec = {
      spanId: spanId(3),
      parentSpanId: spanId(2),
      kind: SpanKind.internal,
      start: start + 4 * MS + 1234,
      end: start + 15 * MS + 1234,
    };
    const id = world.ask(end + 50 * MS, batchOf([server(start, end), inner]), APP);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual(SERVED);
    expect(classesOf(world.spans(id)![1]!)).toBeUndefined();
  });

  it('explains an outbound call by its own id', () => {
    const world = new World();
    const { start } = serveOne(world);
    const call = { start: start + 19 * MS, end: start + 40.5 * MS };
    world.exchange({
      role: 'client',
      tgid: APP,
      socketCookie: 2,
      requestStart: start + 20 * MS,
      responseEnd: start + 40 * MS,
      context: context(spanId(7)),
    });
    const id = world.ask(
      start + 500 * MS,
      batchOf([{ spanId: spanId(7), parentSpanId: spanId(2), kind: SpanKind.client, ...call }]),
      APP,
    );
    world.play(start + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 1.5, net: 20 });
    expect(world.spans(id)![0]!.attribute('kindling.join.confidence')).toBe(0.97);
  });

  it('names the hottest stack of the span, and of the span only', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const sample = (time: number, leaf: bigint) =>
      world.at(time, (engine) =>
        engine.sample({ time, tgid: APP, tid: 11, comm: 'x', kernelStack: [], userStack: [leaf, 1n] }),
      );
    sample(start - 50 * MS, 9n);
    sample(start + 1 * MS, 5n);
    sample(start + 18 * MS, 6n);
    sample(start + 19 * MS, 6n);
    sample(end + 50 * MS, 9n);
    const id = world.ask(end + 100 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 3000 * MS);
    const span = world.spans(id)![0]!;
    expect(span.attribute('kindling.cpu.hot_stack')).toBe('user1;user6');
    expect(span.attribute('kindling.cpu.hot_stack_samples')).toBe(2);
    expect(span.attribute('kindling.cpu.samples')).toBe(3);
  });
});

describe('identity', () => {
  it('never takes the exchange of another process with the same ids', () => {
    const world = new World({ services: { 10: 'shop', 20: 'shop' } });
    const a = serveOne(world, 10, 11, 1000 * MS, 1);
    const b = world.thread(20, 21, 990 * MS);
    b.receive(5, 'server')
      .lock(200 * MS)
      .send(5, 'server');
    world.exchange({
      role: 'server',
      tgid: 10,
      requestStart: a.start,
      responseEnd: a.end,
      context: context(spanId(1)),
    });
    world.exchange({
      role: 'server',
      tgid: 20,
      requestTid: 21,
      responseTid: 21,
      socketCookie: 5,
      requestStart: 990 * MS,
      responseEnd: b.now,
      context: context(spanId(1)),
    });
    const fromA = world.ask(2000 * MS, batchOf([server(a.start, a.end)]), 10);
    const fromB = world.ask(2000 * MS, batchOf([server(995 * MS, 1100 * MS, { spanId: spanId(3) })]), 20);
    // A third process says that it made such a span, too, but no request of it was seen.
    const fromC = world.ask(
      2000 * MS,
      batchOf([server(a.start, a.end)], { 'service.name': 'service30' }),
      30,
    );
    world.play(9000 * MS);
    expect(classesOf(world.spans(fromA)![0]!)).toEqual(SERVED);
    expect(classesOf(world.spans(fromB)![0]!)).toEqual({ lock: 105 });
    expect(classesOf(world.spans(fromC)![0]!)).toBeUndefined();
  });

  it('answers spans of another host at once, unchanged', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const batch = batchOf([server(start, end, { traceId: OTHER_TRACE })]);
    const id = world.ask(end + 1 * MS, batch, 0);
    world.play(end + 1 * MS, 1 * MS);
    expect(world.answers.get(id)).toEqual([]);
    expect(world.engine.stats()).toMatchObject({ spans_remote: 1, join_queries_held: 0 });
  });

  it('knows the sender by its own bytes on the connection, though it has ended since', () => {
    const world = new World();
    const { thread, start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    thread.run(1 * MS).send(99, 'client', 4318);
    const batch = batchOf([server(start, end)], { 'service.name': 'another name' });
    world.at(end + 100 * MS, (engine) =>
      engine.query(1000, batch, {
        remoteAddress: '10.0.0.1',
        remotePort: 40_000,
        localAddress: '10.0.0.9',
        localPort: 4318,
      }),
    );
    world.play(end + 5000 * MS);
    expect(world.answers.get(1000)).toHaveLength(1);
    expect(world.engine.stats()).toMatchObject({ spans_enriched: 1, spans_remote: 0 });
  });

  it('joins what came through a local forwarder when the resource names the process', () => {
    const world = new World({ services: { 10: 'shop', 77: 'collector' } });
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 200 * MS, batchOf([server(start, end)], { 'service.name': 'shop' }), 77);
    const other = world.ask(end + 200 * MS, batchOf([server(start, end)], { 'service.name': 'else' }), 77);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual(SERVED);
    expect(world.spans(id)![0]!.attribute('kindling.join.evidence')).toBe('traceparent,resource,same_thread');
    expect(classesOf(world.spans(other)![0]!)).toBeUndefined();
  });

  it('tells retries of one caller apart by time, and explains none when it cannot', () => {
    const world = new World();
    const first = serveOne(world, APP, 11, 1000 * MS, 1);
    const second = serveOne(world, APP, 13, 1500 * MS, 3);
    const twin = serveOne(world, APP, 14, 1500 * MS, 4);
    const exchange = (tid: number, cookie: number, { start, end }: { start: number; end: number }) =>
      world.exchange({
        role: 'server',
        tgid: APP,
        requestTid: tid,
        responseTid: tid,
        socketCookie: cookie,
        requestStart: start,
        responseEnd: end,
        context: context(spanId(1)),
      });
    exchange(11, 1, first);
    exchange(13, 3, second);
    exchange(14, 4, twin);
    const id = world.ask(
      2000 * MS,
      batchOf([
        server(first.start, first.end),
        server(second.start, second.end, { spanId: spanId(3) }),
        server(twin.start, twin.end, { spanId: spanId(4) }),
      ]),
      APP,
    );
    world.play(9000 * MS);
    const spans = world.spans(id)!;
    expect(classesOf(spans[0]!)).toEqual(SERVED);
    expect(spans[0]!.attribute('kindling.threads')).toEqual([11]);
    expect(classesOf(spans[1]!)).toBeUndefined();
    expect(classesOf(spans[2]!)).toBeUndefined();
    // All three have a span; none is shown twice.
    expect(world.engine.stats()).toMatchObject({ exchanges_joined: 3, spans_low_confidence: 2 });
  });

  describe('of a root span, without a context on the wire', () => {
    const root = (start: number, end: number, attributes = {}): SpanSpec => ({
      spanId: spanId(2),
      kind: SpanKind.server,
      start,
      end,
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/cart',
        'http.response.status_code': 200,
        ...attributes,
      },
    });

    it('is found by the client port', () => {
      const world = new World();
      const { start, end } = serveOne(world);
      world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
      const id = world.ask(end + 100 * MS, batchOf([root(start, end, { 'network.peer.port': 50_000 })]), APP);
      const wrong = world.ask(
        end + 100 * MS,
        batchOf([root(start, end, { 'network.peer.port': 50_001 })]),
        APP,
      );
      world.play(end + 3000 * MS);
      expect(classesOf(world.spans(id)![0]!)).toEqual(SERVED);
      expect(world.spans(id)![0]!.attribute('kindling.join.evidence')).toBe('peer_port,same_thread');
      expect(classesOf(world.spans(wrong)![0]!)).toBeUndefined();
    });

    it('is found by endpoint and time when only one request fits', () => {
      const world = new World();
      const { start, end } = serveOne(world);
      world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
      const id = world.ask(end + 100 * MS, batchOf([root(start, end)]), APP);
      world.play(end + 3000 * MS);
      expect(world.spans(id)![0]!.attribute('kindling.join.confidence')).toBe(0.8);
      expect(world.spans(id)![0]!.attribute('kindling.join.evidence')).toBe('endpoint,same_thread');
    });

    it('is not guessed when two fit', () => {
      const world = new World();
      const a = serveOne(world);
      const b = serveOne(world, APP, 13, 1000 * MS, 3);
      world.exchange({ role: 'server', tgid: APP, requestStart: a.start, responseEnd: a.end });
      world.exchange({
        role: 'server',
        tgid: APP,
        requestTid: 13,
        responseTid: 13,
        socketCookie: 3,
        requestStart: b.start,
        responseEnd: b.end,
      });
      const id = world.ask(a.end + 100 * MS, batchOf([root(a.start, a.end)]), APP);
      world.play(a.end + 3000 * MS);
      expect(classesOf(world.spans(id)![0]!)).toBeUndefined();
    });

    it.each([
      ['method', { 'http.request.method': 'POST' }],
      ['path', { 'url.path': '/other' }],
      ['status', { 'http.response.status_code': 500 }],
    ])('is not taken for a request of another %s', (_name, attributes) => {
      const world = new World();
      const { start, end } = serveOne(world);
      world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
      const id = world.ask(end + 100 * MS, batchOf([root(start, end, attributes)]), APP);
      world.play(end + 3000 * MS);
      expect(classesOf(world.spans(id)![0]!)).toBeUndefined();
    });
  });

  it('ends with the process: another one with the same id does not inherit its connection', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    world.ask(end + 10 * MS, batchOf([server(start, end, { spanId: spanId(9), traceId: OTHER_TRACE })]), APP);
    world.at(end + 20 * MS, (engine) =>
      engine.exit({ time: end + 20 * MS, tgid: APP, tid: APP, exitCode: 0, last: true }),
    );
    world.play(end + 30 * MS, 1 * MS);
    world.owners.set(30_000 + APP, 99);
    const id = world.ask(end + 40 * MS, batchOf([server(start, end)], { 'service.name': 'service99' }), APP);
    world.owners.set(30_000 + APP, 99);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toBeUndefined();
  });
});

describe('holding back', () => {
  it('answers as soon as the thread is known to the end of the span', () => {
    const world = new World();
    const { thread, start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    thread.run(5 * MS).sleep(10 * MS);
    const id = world.ask(end + 2 * MS, batchOf([server(start, end + 2 * MS)]), APP);
    world.play(end + 10 * MS, 1 * MS);
    expect(world.answers.has(id)).toBe(false);
    world.play(end + 16 * MS, 1 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ ...SERVED, cpu: 14 });
  });

  it('waits for the exchange when the span is faster', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    // The SDK ends its span before the last bytes leave.
    const id = world.ask(end - 1 * MS, batchOf([server(start, end - 1.5 * MS)]), APP);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    world.play(end + 20 * MS, 1 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ ...SERVED, cpu: 10.5 });
  });

  it('gives up after the hold, with what is known', () => {
    const world = new World({ config: { holdMs: 500 } });
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 2 * MS, batchOf([server(start, end + 2 * MS)]), APP);
    world.play(end + 495 * MS, 1 * MS);
    expect(world.answers.has(id)).toBe(false);
    world.play(end + 510 * MS, 1 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ ...SERVED, unattributed: 2 });
  });

  it('answers what it can tell nothing about soon after the end of the span', () => {
    const world = new World();
    world.thread(APP, 11, 1000 * MS);
    const id = world.ask(1500 * MS, batchOf([server(1000 * MS, 1490 * MS)]), APP);
    world.play(1700 * MS, 1 * MS);
    expect(world.answers.get(id)).toEqual([]);
    expect(world.engine.stats()).toMatchObject({ spans_unmatched: 1 });
  });

  it('leaves time without records unattributed, and never gives it a wrong class', () => {
    const world = new World();
    const thread = world.thread(APP, 11, 1000 * MS);
    thread
      .receive(1, 'server')
      .run(2 * MS)
      .lock(5 * MS)
      .run(1 * MS)
      .blockUnseen(7 * MS)
      .run(3 * MS)
      .sleep(4 * MS);
    thread.run(1 * MS).send(1, 'server');
    const end = thread.now;
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: 1000 * MS,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([server(1000 * MS, end)]), APP);
    world.play(end + 3000 * MS);
    // 1 ms of running before the lost wait is unknown with it: the record that would prove it is missing.
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 6, lock: 5, sleep: 4, unattributed: 8 });
  });

  it('answers everything at the end', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
    const id = world.ask(end + 2 * MS, batchOf([server(start, end + 2 * MS)]), APP);
    world.play(end + 3 * MS, 1 * MS);
    world.engine.flush();
    expect(world.answers.has(id)).toBe(true);
    expect(world.emitted).toHaveLength(1);
  });

  it('survives broken batches and odd spans', () => {
    const world = new World();
    world.thread(APP, 11, 1000 * MS);
    const broken = world.ask(1001 * MS, new Uint8Array([0x0a, 0xff]), APP);
    const odd = world.ask(
      1001 * MS,
      batchOf([server(1000 * MS, 1000 * MS), server(1000 * MS, 999 * MS), server(0, 2 ** 40)]),
      APP,
    );
    world.play(9000 * MS);
    expect(world.answers.get(broken)).toEqual([]);
    expect(world.answers.get(odd)).toEqual([]);
    expect(world.engine.stats()).toMatchObject({ batches_unreadable: 1, spans_invalid: 2 });
  });
});

describe('exchanges without a span of an SDK', () => {
  it('leave with their own profile once their process is known to have no SDK', () => {
    const world = new World();
    // The process is older than ten seconds.
    world.exchange({ role: 'server', tgid: APP, requestStart: 1000 * MS, responseEnd: 1001 * MS });
    const { start, end } = serveOne(world, APP, 11, 20_000 * MS);
    const exchange = world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
    world.play(end + 10 * MS, 1 * MS);
    expect(world.emitted).toHaveLength(2);
    const { profile } = world.emitted[1]!;
    expect(world.emitted[1]!.exchange).toBe(exchange);
    const span = profiled(profile!, start, end);
    expect(classesOf(span)).toEqual(SERVED);
    expect(span.attribute('kindling.join.evidence')).toBe('kernel,same_thread');
    expect(span.attribute('kindling.join.confidence')).toBe(0.99);
  });

  it('wait for the SDK of a young process, and of one that sends spans', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
    world.play(end + 5990 * MS);
    expect(world.emitted).toHaveLength(0);
    world.play(end + 6020 * MS);
    expect(world.emitted).toHaveLength(1);
    world.ask(15_000 * MS, batchOf([server(14_000 * MS, 14_001 * MS)]), APP);
    world.exchange({ role: 'server', tgid: APP, requestStart: 20_000 * MS, responseEnd: 20_001 * MS });
    world.play(25_990 * MS);
    expect(world.emitted).toHaveLength(1);
    world.play(26_020 * MS);
    expect(world.emitted).toHaveLength(2);
  });

  it('leave early, counted, when too many wait', () => {
    const world = new World({ config: { maxHeldExchanges: 8 } });
    world.thread(APP, 11, 1000 * MS);
    for (let index = 0; index < 20; index++) {
      const at = (1001 + index) * MS;
      world.exchange({ role: 'server', tgid: APP, requestStart: at, responseEnd: at + 1000 });
    }
    world.play(1100 * MS);
    expect(world.emitted).toHaveLength(12);
    expect(world.engine.stats()).toMatchObject({ exchanges_emitted_early: 12, join_exchanges_held: 8 });
  });

  it('leave without a profile, counted, when the observer ends and has no time', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    for (let index = 0; index < 5; index++) {
      world.exchange({ role: 'server', tgid: APP, requestStart: start, responseEnd: end });
    }
    world.play(end + 10 * MS);
    let asked = 0;
    world.engine.flush(() => ++asked <= 2);
    expect(world.emitted.map(({ profile }) => profile !== undefined)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(world.engine.stats()).toMatchObject({
      exchanges_emitted: 5,
      exchanges_unprofiled: 3,
      join_exchanges_held: 0,
    });
  });

  it('are counted as late when the span comes after them, which is explained all the same', () => {
    const world = new World();
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 8000 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 12_000 * MS);
    expect(world.emitted).toHaveLength(1);
    expect(world.engine.stats()).toMatchObject({ exchanges_late: 1, exchanges_joined: 0 });
    expect(classesOf(world.spans(id)![0]!)).toEqual(SERVED);
  });

  it("are nobody's request when they delivered spans to the agent", () => {
    const world = new World();
    const { tuple } = inetSocket(1, 4318);
    const toAgent = { ...tuple, remoteAddress: '127.0.0.1', remotePort: 4318 };
    world.ask(1001 * MS, batchOf([server(990 * MS, 1000 * MS)]), APP);
    world.exchange({
      role: 'client',
      tgid: APP,
      requestStart: 1000 * MS,
      responseEnd: 1002 * MS,
      tuple: toAgent,
    });
    world.exchange({ role: 'client', tgid: APP, requestStart: 1003 * MS, responseEnd: 1004 * MS });
    world.play(20_000 * MS);
    expect(world.emitted.map(({ exchange }) => exchange.requestStart)).toEqual([1003 * MS]);
    expect(world.engine.stats()).toMatchObject({ exchanges_telemetry: 1, exchanges_emitted: 1 });
  });

  it('have no profile when nothing is known of their thread', () => {
    const world = new World();
    world.exchange({ role: 'server', tgid: APP, requestStart: 1000 * MS, responseEnd: 1010 * MS });
    world.play(20_000 * MS);
    expect(world.emitted.map(({ profile }) => profile)).toEqual([undefined]);
  });
});

describe('accounts', () => {
  it('balance for random traffic: every query answered once, every exchange emitted or joined once', () => {
    const random = randomFrom(11);
    for (let round = 0; round < 10; round++) {
      const world = new World({ config: { maxHeldExchanges: 40 } });
      let asked = 0;
      let exchanges = 0;
      for (let index = 0; index < 120; index++) {
        const tid = 100 + index;
        const tgid = 10 + (index % 3);
        const at = (1000 + random() * 20_000) * MS;
        const { start, end } = serveOne(world, tgid, tid, Math.round(at), 1000 + index);
        const id = spanId(5000 + index);
        world.exchange({
          role: 'server',
          tgid,
          requestTid: tid,
          responseTid: tid,
          socketCookie: 1000 + index,
          requestStart: start,
          responseEnd: end,
          context: random() < 0.7 ? context(id) : undefined,
        });
        exchanges++;
        if (random() < 0.6) {
          const spec = server(start, end, { parentSpanId: id, spanId: spanId(9000 + index) });
          world.ask(end + Math.round(random() * 9000) * MS, batchOf([spec]), random() < 0.9 ? tgid : 0);
          asked++;
        }
      }
      world.play(30_000 * MS, 50 * MS);
      world.engine.flush();
      const stats = world.engine.stats();
      expect(world.answers.size).toBe(asked);
      expect(stats.exchanges_joined! + world.emitted.length).toBe(exchanges);
      expect(new Set(world.emitted.map(({ exchange }) => exchange.id)).size).toBe(world.emitted.length);
      const { spans_received, spans_enriched, spans_unmatched, spans_remote } = stats as Record<
        string,
        number
      >;
      expect(spans_enriched! + spans_unmatched! + spans_remote!).toBe(spans_received);
      for (const id of world.answers.keys()) {
        for (const span of world.spans(id)!) {
          const classes = classesOf(span);
          if (classes !== undefined) expect(classes).toEqual(SERVED);
        }
      }
    }
  });
});

describe('the choice of spans with details', () => {
  const triggers = {
    slowNs: 50 * MS,
    aboveP95: false,
    minSamples: 20,
    errors: false,
    names: [],
    traceIds: [],
    baselinePerMinute: 0,
    maxPerSecond: 100,
    maxEndpoints: 10,
  };

  it.each([
    ['all', undefined, 'all'],
    ['the slow ones', triggers, 'slow'],
    ['others', { ...triggers, slowNs: 500 * MS }, undefined],
  ])('of %s: totals are on every span, events where there is a reason', (_, chosen, expected) => {
    const world = new World({ config: { triggers: chosen } });
    const { start, end } = serveOne(world);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 3000 * MS, batchOf([server(start, end)]), APP);
    world.play(end + 20_000 * MS);
    const span = world.spans(id)![0]!;
    expect(classesOf(span)).toEqual(SERVED);
    expect(span.attribute('kindling.trigger')).toBe(expected);
    expect(span.eventCount > 0).toBe(expected !== undefined);
    const { details_taken_all, details_taken_slow, details_size_slow } = world.engine.stats();
    expect([details_taken_all, details_taken_slow]).toEqual([
      Number(expected === 'all'),
      Number(expected === 'slow'),
    ]);
    expect(details_size_slow! > 0).toBe(expected === 'slow');
  });

  it('is made for requests that no SDK tells of, and can be asked for', () => {
    const world = new World({ config: { triggers: { ...triggers, slowNs: 0 } } });
    const asked = world.engine.catch!({ name: 'GET /cart', count: 1, forMs: 60_000 });
    expect(asked.waiting).toHaveLength(1);
    const served = [1, 2].map((turn) => {
      const tid = 20 + turn;
      const { start, end } = serveOne(world, APP, tid, turn * 1000 * MS, 10 * turn);
      world.exchange({
        role: 'server',
        tgid: APP,
        requestTid: tid,
        responseTid: tid,
        socketCookie: 10 * turn,
        requestStart: start,
        responseEnd: end,
      });
      return { start, end };
    });
    world.play(20_000 * MS);
    const spans = world.emitted.map(({ profile }, i) => profiled(profile!, served[i]!.start, served[i]!.end));
    expect(spans.map((span) => span.attribute('kindling.trigger'))).toEqual(['catch', undefined]);
    expect(spans.map((span) => classesOf(span))).toEqual([SERVED, SERVED]);
    expect(spans[1]!.eventCount).toBe(0);
  });
});
