import { describe, expect, it } from 'vitest';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { batchOf, classesOf, OTHER_TRACE, type SpanSpec, spanId, TRACE, World } from './join-helpers.js';
import { FD, MS, SYS } from './timeline-helpers.js';

/** A Node.js-like process: loop thread 10, pool threads 12 and up. */
const APP = 10;
const LOOP = 10;

const context = (id: string, traceId = TRACE) => ({
  traceId,
  spanId: id,
  sampled: true,
  carrier: 'traceparent',
});

const serverSpan = (start: number, end: number, parent: number, traceId = TRACE): SpanSpec => ({
  traceId,
  spanId: spanId(100 + parent),
  parentSpanId: spanId(parent),
  kind: SpanKind.server,
  start,
  end,
});

function serve(world: World, cookie: number, start: number, end: number, parent: number, traceId = TRACE) {
  return world.exchange({
    role: 'server',
    tgid: APP,
    requestTid: LOOP,
    responseTid: LOOP,
    socketCookie: cookie,
    requestStart: start,
    responseEnd: end,
    context: context(spanId(parent), traceId),
  });
}

describe('an event loop with one request', () => {
  it('waits for its database over the network, though the thread waits in epoll', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    loop
      .run(2 * MS)
      .send(7, 'client', 5432)
      .run(1 * MS)
      .epoll(20 * MS, {}, 0.5 * MS)
      .receive(7, 'client', 5432);
    loop.run(3 * MS).send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    const span = world.spans(id)![0]!;
    expect(classesOf(span)).toEqual({ cpu: 6, net: 19.5, runqueue: 0.5 });
    const net = span.events().find((event) => event.name === 'net.wait')!;
    expect(net.attributes).toMatchObject({ 'network.peer.port': 5432, reason: 'event_loop' });
    expect(span.attribute('kindling.join.evidence')).toBe('traceparent,same_thread,event_loop');
    expect(span.attribute('kindling.join.confidence')).toBeCloseTo(0.855);
  });

  it('is idle while only a timer is awaited, and works in ticks without socket operations', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    loop
      .run(2 * MS)
      .epoll(30 * MS)
      .run(4 * MS)
      .epoll(10 * MS)
      .run(1 * MS)
      .send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 7, idle: 40 });
  });

  it("takes a pool thread's disk wait for its own when it had woken that thread", () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    const pool = world.thread(APP, 12, 900 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    loop.run(2 * MS);
    const submitted = loop.now - 1 * MS;
    // The pool thread had been idle for long; it is woken, works 1 + 25 + 1 ms and wakes the loop.
    pool.run(1 * MS).lock(submitted - pool.now, LOOP);
    pool
      .run(1 * MS)
      .disk(25 * MS)
      .run(1 * MS);
    loop.epoll(pool.now - loop.now, {
      wakerTgid: APP,
      wakerTid: 12,
      wakerSyscall: SYS.write,
    });
    pool.run(0.1 * MS).lock(300 * MS);
    loop.run(3 * MS).send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    const span = world.spans(id)![0]!;
    // 1 ms of the pool's work overlaps with the loop's own: wall time is explained once.
    expect(classesOf(span)).toEqual({ cpu: 6, disk: 25 });
    expect(span.attribute('kindling.threads')).toEqual([LOOP, 12]);
    expect(span.attribute('kindling.join.confidence')).toBe(0.75);
    const disk = span.events().find((event) => event.name === 'disk.wait')!;
    expect(disk.attributes).toMatchObject({ 'thread.os_id': 12, 'file.path': '/var/lib/data.db' });
  });

  it('does not take the work of a pool thread that somebody else had woken', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    const pool = world.thread(APP, 12, 900 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    loop.run(2 * MS);
    pool.run(1 * MS).lock(loop.now - 1 * MS - pool.now, 13);
    pool
      .run(1 * MS)
      .disk(25 * MS)
      .run(1 * MS);
    loop.epoll(pool.now - loop.now, { wakerTgid: APP, wakerTid: 12, wakerSyscall: SYS.write });
    pool.run(0.1 * MS).lock(300 * MS);
    loop.run(3 * MS).send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 5, idle: 26 });
  });

  it('calls a wait idle only until a thread of the pool works, for whomever', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    const pool = world.thread(APP, 12, 900 * MS);
    // The loop has woken it before: it is one of its pool.
    loop.epoll(5 * MS).run(2 * MS);
    pool.run(1 * MS).lock(loop.now - 1 * MS - pool.now, LOOP);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    pool.run(1 * MS).lock(start + 7 * MS - pool.now);
    pool.run(3 * MS).lock(300 * MS);
    loop.run(2 * MS).epoll(20 * MS);
    loop.run(3 * MS).send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    // Of the 20 ms of waiting the 5 before the pool's work: what it did then may have been for this request.
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 5, idle: 5, unattributed: 15 });
  });

  it('waits for a connection that it opens', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const start = loop.now;
    loop.run(2 * MS);
    const connectStart = loop.now - 1 * MS;
    loop.epoll(8 * MS);
    const established = loop.now;
    world.at(established, (engine) =>
      engine.netOpened?.({
        time: established,
        tgid: APP,
        tid: LOOP,
        socketCookie: 7,
        connectStart,
        role: 1,
        tuple: {
          family: 'inet',
          localAddress: '10.0.0.1',
          localPort: 1,
          remoteAddress: '10.0.0.9',
          remotePort: 6379,
        },
      }),
    );
    loop
      .run(1 * MS)
      .send(7, 'client', 6379)
      .run(1 * MS)
      .epoll(5 * MS)
      .receive(7, 'client', 6379)
      .run(1 * MS);
    loop.send(1, 'server');
    const end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, start, end, 1);
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 5, net: 13 });
  });
});

describe('an event loop with two requests at once', () => {
  /**
   *   ms     0        2   5          12       14   15       25     26      30
   *   loop   |read A  |epoll |read B |read db |A   |epoll   |read  |B      |
   *          |write db|      |       |of A    |end |        |db of B|end   |
   */
  function interleaved(world: World) {
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const a = { start: loop.now, end: 0 };
    loop
      .run(1 * MS)
      .send(7, 'client', 5432)
      .run(1 * MS)
      .epoll(3 * MS)
      .receive(2, 'server');
    const b = { start: loop.now, end: 0 };
    loop
      .run(7 * MS)
      .receive(7, 'client', 5432)
      .run(2 * MS)
      .send(1, 'server');
    a.end = loop.now;
    loop
      .receive(2, 'server')
      .run(0.5 * MS)
      .send(8, 'client', 6379)
      .run(0.5 * MS)
      .epoll(10 * MS);
    loop
      .receive(8, 'client', 6379)
      .run(5 * MS)
      .send(2, 'server');
    b.end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, a.start, a.end, 1);
    serve(world, 2, b.start, b.end, 2, OTHER_TRACE);
    return { a, b };
  }

  it('tells own work, waiting for a peer, and waiting for the other request apart', () => {
    const world = new World();
    const { a, b } = interleaved(world);
    const id = world.ask(
      b.end + 100 * MS,
      batchOf([serverSpan(a.start, a.end, 1), serverSpan(b.start, b.end, 2, OTHER_TRACE)]),
      APP,
    );
    world.play(b.end + 5000 * MS);
    const [spanA, spanB] = world.spans(id)!;
    // A: 2 own, 3 in epoll for the database, 7 in which B ran before A's answer was read, 2 own.
    expect(classesOf(spanA!)).toEqual({ cpu: 4, net: 3, other: 7 });
    expect(spanA!.events().find((event) => event.name === 'other.wait')!.attributes).toMatchObject({
      duration_ns: 7 * MS,
      reason: 'event_loop_busy',
    });
    // B: 7 own, 2 in which A ran, 1 own, 10 for its own peer, 5 own.
    expect(classesOf(spanB!)).toEqual({ cpu: 13, net: 10, other: 2 });
    expect(spanB!.events().find((event) => event.name === 'net.wait')!.attributes['network.peer.port']).toBe(
      6379,
    );
    expect(spanA!.attribute('kindling.join.confidence')).toBeCloseTo(0.7125);
  });

  it('leaves work that may be of either unattributed', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const a = { start: loop.now, end: 0 };
    loop
      .run(1 * MS)
      .receive(2, 'server')
      .run(1 * MS)
      .epoll(5 * MS);
    // A timer's callback, of A or of B, and a wait for whatever it began.
    loop
      .run(4 * MS)
      .epoll(5 * MS)
      .run(1 * MS)
      .send(1, 'server');
    a.end = loop.now;
    loop
      .run(1 * MS)
      .epoll(5 * MS)
      .run(1 * MS)
      .send(2, 'server')
      .run(1 * MS)
      .epoll(500 * MS);
    serve(world, 1, a.start, a.end, 1);
    serve(world, 2, a.start + 1 * MS, a.end + 7 * MS, 2, OTHER_TRACE);
    const id = world.ask(a.end + 100 * MS, batchOf([serverSpan(a.start, a.end, 1)]), APP);
    world.play(a.end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 2, idle: 6, unattributed: 9 });
  });

  it('says nothing when socket operations may be missing', () => {
    const world = new World();
    const { a, b } = interleaved(world);
    world.at(b.end, (engine) => engine.lost?.(a.start + 1 * MS, a.start + 2 * MS));
    const id = world.ask(b.end + 100 * MS, batchOf([serverSpan(a.start, a.end, 1)]), APP);
    world.play(b.end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toBeUndefined();
  });

  it('shows the work of a pool thread though the loop wakes for others meanwhile', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    const pool = world.thread(APP, 12, 900 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const a = { start: loop.now, end: 0 };
    loop.run(2 * MS);
    pool.run(1 * MS).lock(loop.now - 1 * MS - pool.now, LOOP);
    pool.run(1 * MS).disk(30 * MS);
    loop
      .epoll(10 * MS)
      .receive(2, 'server')
      .run(5 * MS)
      .send(2, 'server');
    const b = { start: loop.now - 5 * MS, end: loop.now };
    loop.run(0).epoll(pool.now - loop.now, { wakerTgid: APP, wakerTid: 12, wakerSyscall: SYS.write });
    pool.run(0.1 * MS).lock(300 * MS);
    loop.run(3 * MS).send(1, 'server');
    a.end = loop.now;
    loop.run(1 * MS).epoll(500 * MS);
    serve(world, 1, a.start, a.end, 1);
    serve(world, 2, b.start, b.end, 2, OTHER_TRACE);
    const id = world.ask(a.end + 100 * MS, batchOf([serverSpan(a.start, a.end, 1)]), APP);
    world.play(a.end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 5, disk: 30 });
  });

  it('explains an outbound call of one of them by its answer, whoever runs meanwhile', () => {
    const world = new World();
    const { a } = interleaved(world);
    world.exchange({
      role: 'client',
      tgid: APP,
      requestTid: LOOP,
      responseTid: LOOP,
      socketCookie: 7,
      requestStart: a.start + 1 * MS,
      responseStart: a.start + 12 * MS,
      responseEnd: a.start + 12 * MS,
      context: context(spanId(55)),
    });
    const call: SpanSpec = {
      spanId: spanId(55),
      parentSpanId: spanId(101),
      kind: SpanKind.client,
      start: a.start + 0.5 * MS,
      end: a.start + 12.5 * MS,
    };
    const id = world.ask(a.start + 500 * MS, batchOf([call]), APP);
    world.play(a.start + 5000 * MS);
    // 0.5 before the request, 4 until the loop was woken, 7 of B, 0.5 after the answer.
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 1, net: 4, other: 7 });
  });

  it('keeps calls of the other request apart by their trace', () => {
    const world = new World();
    const loop = world.thread(APP, LOOP, 1000 * MS);
    loop.epoll(10 * MS).receive(1, 'server');
    const a = { start: loop.now, end: 0 };
    loop
      .run(1 * MS)
      .receive(2, 'server')
      .run(1 * MS)
      .epoll(5 * MS);
    // A's call goes out first in a tick: only its header tells that it is A's.
    const asked = loop.now + 1 * MS;
    loop
      .run(1 * MS)
      .send(7, 'client', 5432)
      .run(1 * MS)
      .epoll(20 * MS)
      .receive(7, 'client', 5432);
    const answered = loop.now;
    loop.run(1 * MS).send(1, 'server');
    a.end = loop.now;
    loop
      .run(1 * MS)
      .send(2, 'server')
      .run(1 * MS)
      .epoll(500 * MS);
    serve(world, 1, a.start, a.end, 1);
    serve(world, 2, a.start + 1 * MS, a.end + 1 * MS, 2, OTHER_TRACE);
    world.exchange({
      role: 'client',
      tgid: APP,
      requestTid: LOOP,
      responseTid: LOOP,
      socketCookie: 7,
      requestStart: asked,
      responseStart: answered,
      responseEnd: answered,
      context: context(spanId(55)),
    });
    const id = world.ask(
      a.end + 100 * MS,
      batchOf([serverSpan(a.start, a.end, 1), serverSpan(a.start + 1 * MS, a.end + 1 * MS, 2, OTHER_TRACE)]),
      APP,
    );
    world.play(a.end + 5000 * MS);
    const [spanA, spanB] = world.spans(id)!;
    // A: 1 own, 6 until the loop came back to it, 2 own, 20 for the answer, 1 own.
    expect(classesOf(spanA!)).toEqual({ cpu: 4, net: 20, idle: 6 });
    // B: 1 own at its start, then nothing of its own until the end of the last tick, in which A ran for 2 ms.
    expect(classesOf(spanB!)).toEqual({ cpu: 1, idle: 27, unattributed: 2 });
  });

  it('always sums to the duration', () => {
    const world = new World();
    const { a, b } = interleaved(world);
    const specs: SpanSpec[] = [];
    for (let index = 0; index < 40; index++) {
      const start = a.start - 3 * MS + index * 0.61 * MS;
      specs.push({
        ...serverSpan(Math.round(start), Math.round(start + index * 0.37 * MS + 1), 1),
        spanId: spanId(900 + index),
      });
    }
    const id = world.ask(b.end + 100 * MS, batchOf(specs), APP);
    world.play(b.end + 5000 * MS);
    for (const span of world.spans(id)!) {
      const classes = classesOf(span);
      if (classes === undefined) continue;
      const sum = Object.values(classes).reduce((total, ms) => total + Math.round(ms * MS), 0);
      expect(sum).toBe(span.durationNs);
    }
  });
});

describe('a request that two threads work on', () => {
  it('follows the hand-over from the reader to the worker', () => {
    const world = new World();
    const reader = world.thread(APP, 11, 900 * MS);
    const worker = world.thread(APP, 12, 900 * MS);
    reader.epoll(100 * MS).receive(1, 'server');
    const start = reader.now;
    reader.run(1 * MS);
    worker.run(1 * MS).lock(reader.now - worker.now, 11);
    reader.run(0.2 * MS).epoll(700 * MS);
    worker
      .run(5 * MS)
      .sleep(10 * MS)
      .run(2 * MS)
      .send(1, 'server');
    const end = worker.now;
    worker.run(1 * MS).lock(600 * MS);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestTid: 11,
      responseTid: 12,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    const span = world.spans(id)![0]!;
    expect(classesOf(span)).toEqual({ cpu: 8, sleep: 10 });
    expect(span.attribute('kindling.threads')).toEqual([11, 12]);
    expect(span.attribute('kindling.join.evidence')).toBe('traceparent,hand_over');
  });

  it('claims only both ends when the hand-over was not seen', () => {
    const world = new World();
    const reader = world.thread(APP, 11, 900 * MS);
    const worker = world.thread(APP, 12, 900 * MS);
    reader.epoll(100 * MS).receive(1, 'server');
    const start = reader.now;
    reader.run(1 * MS).epoll(700 * MS, { wakerTgid: 0 });
    // Something else woke the worker, and it had other work before.
    worker.run(50 * MS).lock(start + 8 * MS - worker.now, 13);
    worker
      .run(5 * MS)
      .sleep(3 * MS)
      .run(2 * MS)
      .send(1, 'server');
    const end = worker.now;
    worker.run(1 * MS).lock(600 * MS);
    world.exchange({
      role: 'server',
      tgid: APP,
      requestTid: 11,
      responseTid: 12,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(1)),
    });
    const id = world.ask(end + 100 * MS, batchOf([serverSpan(start, end, 1)]), APP);
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 8, sleep: 3, unattributed: 7 });
  });

  it('waits for the network between the sender and the receiver of a call', () => {
    const world = new World();
    const sender = world.thread(APP, 11, 900 * MS);
    const receiver = world.thread(APP, 12, 900 * MS);
    sender.run(100 * MS).send(7, 'client', 80);
    const start = sender.now;
    sender.run(1 * MS).lock(600 * MS);
    receiver.run(1 * MS).block(start + 15 * MS - receiver.now, { syscall: SYS.epoll_wait, fdKind: FD.anon });
    receiver.run(1 * MS).receive(7, 'client', 80);
    const end = receiver.now;
    receiver.run(1 * MS).lock(500 * MS);
    world.exchange({
      role: 'client',
      tgid: APP,
      requestTid: 11,
      responseTid: 12,
      socketCookie: 7,
      requestStart: start,
      responseEnd: end,
      context: context(spanId(5)),
    });
    const id = world.ask(
      end + 100 * MS,
      batchOf([{ spanId: spanId(5), kind: SpanKind.client, start, end }]),
      APP,
    );
    world.play(end + 5000 * MS);
    expect(classesOf(world.spans(id)![0]!)).toEqual({ cpu: 1, net: 15 });
  });
});
