/**
 * A small machine for tests of the join: threads that run, wait and move bytes leave the records that the kernel would
 * have written, and `play` hands them to the engine in the order of time.
 */
import { createJoinEngine } from '../../../src/observer/join-engine.js';
import type { JoinConfig, JoinEngine, MonoClock, SpanEdit } from '../../../src/observer/join-types.js';
import type {
  Exchange,
  NetDataRecord,
  ProcessInfo,
  ProcessTable,
  SocketTuple,
  Symbolizer,
  WaitRecord,
} from '../../../src/observer/types.js';
import { TIME_CLASSES } from '../../../src/observer/types.js';
import type { AttributesInput } from '../../../src/otlp/attribute-writer.js';
import { appendToSpans } from '../../../src/otlp/edit.js';
import { addNs, type Time64 } from '../../../src/otlp/time.js';
import { type SpanView, spansOf } from '../../../src/otlp/trace-view.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';
import { timeAttribute } from '../../../src/semconv.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { FD, inetSocket, MS, SYS } from './timeline-helpers.js';

const EPOCH_HI = 400_000_000;

/** The wall clock is the monotonic one plus a constant. */
export const CLOCK: MonoClock = {
  toMono: (hi, lo) => (hi - EPOCH_HI) * 0x1_0000_0000 + lo,
  toUnix: (mono) => unixTime(mono),
};

export const unixTime = (mono: number): Time64 => addNs({ hi: EPOCH_HI, lo: 0 }, mono);

export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const OTHER_TRACE = 'ffffffff16cd43dd8448eb211c80319c';

/** 16 hex digits. */
export const spanId = (number: number): string => number.toString(16).padStart(16, '0');

export interface SpanSpec {
  readonly traceId?: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly start: number;
  readonly end: number;
  readonly attributes?: AttributesInput;
}

export function batchOf(
  spans: readonly SpanSpec[],
  resource: AttributesInput = { 'service.name': 'shop' },
): Uint8Array {
  const writer = new TracesWriter();
  writer.resource(resource);
  writer.scope('test');
  for (const { traceId, start, end, attributes, parentSpanId, ...rest } of spans) {
    writer.span({
      ...rest,
      traceId: traceId ?? TRACE,
      parentSpanId: parentSpanId ?? '',
      name: 'span',
      attributes: attributes ?? {},
      startTime: unixTime(start),
      endTime: unixTime(end),
    });
  }
  return writer.finish();
}

/** Milliseconds of each class on an enriched span, without zeros; undefined when nothing was attached. */
export function classesOf(span: SpanView): Record<string, number> | undefined {
  if (span.attribute(timeAttribute('unattributed')) === undefined) return undefined;
  const classes: Record<string, number> = {};
  for (const timeClass of TIME_CLASSES) {
    const ns = span.attribute(timeAttribute(timeClass));
    if (typeof ns === 'number' && ns > 0) classes[timeClass] = ns / MS;
  }
  return classes;
}

type Event = { readonly time: number; readonly deliver: (engine: JoinEngine) => void };

export interface Server {
  readonly cookie: number;
  readonly peerPort: number;
}

export interface WorldOptions {
  readonly config?: Partial<JoinConfig>;
  /** Service names by process; all processes exist. */
  readonly services?: Readonly<Record<number, string>>;
}

export class World {
  readonly engine: JoinEngine;
  readonly emitted: { exchange: Exchange; profile: Uint8Array | undefined }[] = [];
  readonly answers = new Map<number, readonly SpanEdit[]>();
  readonly #batches = new Map<number, Uint8Array>();
  #events: Event[] = [];
  #nextExchange = 1;
  #nextQuery = 1;
  /** Local port of a connection to us: its owner. */
  readonly owners = new Map<number, number>();

  constructor(options: WorldOptions = {}) {
    const services = options.services ?? {};
    const processes: ProcessTable = {
      get: (tgid): ProcessInfo => ({
        tgid,
        startTicks: 1,
        comm: `comm${tgid}`,
        executable: '/bin/x',
        commandLine: [],
        serviceName: services[tgid] ?? `service${tgid}`,
        resourceAttributes: {},
        namespacePid: tgid,
      }),
      threadName: (_tgid, tid) => `thread${tid}`,
      filePath: (_tgid, fd) => (fd === 3 ? '/var/lib/data.db' : undefined),
      socketOwner: (tuple) => this.owners.get(tuple.localPort),
      invalidate: () => {},
    };
    const symbolizer: Symbolizer = {
      user: (_tgid, addresses) => addresses.map((address) => `user${address}`),
      kernel: (addresses) => addresses.map((address) => `kernel${address}`),
    };
    this.engine = createJoinEngine({
      processes,
      symbolizer,
      clock: CLOCK,
      log: NOP_LOGGER,
      config: {
        holdMs: 2000,
        windowMs: 60_000,
        minConfidence: 0.6,
        timelineBytes: 4 << 20,
        ...options.config,
      },
      emitExchange: (exchange, profile) => this.emitted.push({ exchange, profile: profile?.slice() }),
      answer: (id, edits) => {
        if (this.answers.has(id)) throw new Error(`query ${id} was answered twice`);
        this.answers.set(id, edits);
      },
    });
  }

  at(time: number, deliver: (engine: JoinEngine) => void): void {
    this.#events.push({ time, deliver });
  }

  thread(tgid: number, tid: number, now: number): SimulatedThread {
    return new SimulatedThread(this, tgid, tid, now);
  }

  /** Delivers everything up to `until`, with a watermark every `step`. */
  play(until: number, step = 10 * MS): void {
    this.#events.sort((a, b) => a.time - b.time);
    let next = 0;
    const first = this.#events[0]?.time ?? until;
    for (let watermark = Math.min(first, until); ; watermark = Math.min(until, watermark + step)) {
      for (; next < this.#events.length && this.#events[next]!.time <= watermark; next++) {
        this.#events[next]!.deliver(this.engine);
      }
      this.engine.advance(watermark);
      if (watermark >= until) break;
    }
    this.#events = this.#events.slice(next);
  }

  exchange(
    parts: Partial<Exchange> & Pick<Exchange, 'role' | 'tgid' | 'requestStart' | 'responseEnd'>,
  ): Exchange {
    const tid = parts.requestTid ?? parts.tgid + 1;
    const exchange: Exchange = {
      id: this.#nextExchange++,
      protocol: 'http',
      requestTid: tid,
      responseTid: tid,
      socketCookie: 1,
      tuple: inetSocket(1, 50_000).tuple,
      requestEnd: parts.requestStart,
      responseStart: parts.responseEnd,
      requestBytes: 100,
      responseBytes: 200,
      http: {
        method: 'GET',
        path: '/cart',
        query: undefined,
        host: 'shop',
        userAgent: undefined,
        statusCode: 200,
        version: '1.1',
      },
      context: undefined,
      incomplete: undefined,
      ...parts,
    };
    this.at(exchange.responseEnd, (engine) => engine.exchange(exchange));
    return exchange;
  }

  /** Asks about spans at `time`; sent over a connection of `sender`, or of another host when that is 0. */
  ask(time: number, batch: Uint8Array, sender: number): number {
    const id = this.#nextQuery++;
    this.#batches.set(id, batch);
    const remotePort = 30_000 + sender;
    if (sender !== 0) this.owners.set(remotePort, sender);
    this.at(time, (engine) =>
      engine.query(id, batch, {
        remoteAddress: sender === 0 ? '10.9.9.9' : '127.0.0.1',
        remotePort,
        localAddress: '127.0.0.1',
        localPort: 4318,
      }),
    );
    return id;
  }

  /** The spans of a query as they leave; undefined while it is held. */
  spans(id: number): SpanView[] | undefined {
    const edits = this.answers.get(id);
    if (edits === undefined) return undefined;
    const bytes = this.#batches.get(id)!;
    return spansOf(appendToSpans(bytes, new Map(edits.map(({ offset, fields }) => [offset, fields]))));
  }
}

/** A profile as it stands on a span of its own. */
export function profiled(profile: Uint8Array, start: number, end: number): SpanView {
  const batch = batchOf([{ spanId: spanId(1), kind: 2, start, end }]);
  return spansOf(appendToSpans(batch, new Map([[spansOf(batch)[0]!.start, profile]])))[0]!;
}

const UNKNOWN_TUPLE: SocketTuple = inetSocket(1, 50_000).tuple;

export class SimulatedThread {
  readonly tgid: number;
  readonly tid: number;
  now: number;
  readonly #world: World;
  #lastOn: number;

  constructor(world: World, tgid: number, tid: number, now: number) {
    this.#world = world;
    this.tgid = tgid;
    this.tid = tid;
    this.now = now;
    this.#lastOn = now;
    // The switch-in that began this story.
    this.#wait({ off: now - 1000, on: now, onBefore: 0 });
  }

  run(ns: number): this {
    this.now += ns;
    return this;
  }

  /** Waits `ns` in total, of which the last `queue` in the run queue. */
  block(ns: number, overrides: Partial<WaitRecord> = {}, queue = 0): this {
    const off = this.now;
    this.now += ns;
    this.#wait({ off, on: this.now, wake: this.now - queue, onBefore: off - this.#lastOn, ...overrides });
    this.#lastOn = this.now;
    return this;
  }

  /** Time away from the CPU that leaves no record. */
  blockUnseen(ns: number): this {
    this.now += ns;
    this.#lastOn = this.now;
    return this;
  }

  lock(ns: number, wakerTid = 0): this {
    return this.block(ns, {
      syscall: SYS.futex,
      args: [0x1000, 128, 2],
      wakerTgid: wakerTid === 0 ? 0 : this.tgid,
      wakerTid,
      wakerSyscall: wakerTid === 0 ? -1 : SYS.futex,
    });
  }

  sleep(ns: number): this {
    return this.block(ns, { syscall: SYS.clock_nanosleep, state: 0x2001 });
  }

  disk(ns: number): this {
    return this.block(ns, {
      syscall: SYS.fsync,
      state: 2,
      iowait: true,
      fdKind: FD.file,
      file: { inode: 7, device: 1, fd: 3, name: 'data.db' },
    });
  }

  /** Blocks in a read of a socket and reads. */
  read(ns: number, cookie: number, port: number): this {
    return this.block(ns, {
      syscall: SYS.recvfrom,
      fdKind: FD.socket,
      socket: inetSocket(cookie, port),
    }).receive(cookie, 'client', port);
  }

  epoll(ns: number, overrides: Partial<WaitRecord> = {}, queue = 0): this {
    return this.block(ns, { syscall: SYS.epoll_wait, fdKind: FD.anon, ...overrides }, queue);
  }

  send(cookie: number, role: 'client' | 'server', port = 50_000): this {
    return this.#operation(cookie, true, role, port);
  }

  receive(cookie: number, role: 'client' | 'server', port = 50_000): this {
    return this.#operation(cookie, false, role, port);
  }

  exit(): this {
    const { tgid, tid, now } = this;
    this.#world.at(now, (engine) => engine.exit({ time: now, tgid, tid, exitCode: 0, last: false }));
    return this;
  }

  #operation(cookie: number, egress: boolean, role: 'client' | 'server', port: number): this {
    const record: NetDataRecord = {
      time: this.now,
      tgid: this.tgid,
      tid: this.tid,
      socketCookie: cookie,
      position: 0,
      length: 10,
      turn: 1,
      egress,
      continuation: false,
      noMemory: false,
      shed: false,
      repeatsTail: false,
      transport: 'tcp',
      role: role === 'client' ? 1 : 2,
      tuple: { ...UNKNOWN_TUPLE, remotePort: port },
      bytes: Buffer.alloc(0),
      payloadStart: 0,
      payloadEnd: 0,
      tailStart: 0,
    };
    this.#world.at(this.now, (engine) => engine.netOperation?.(record));
    return this;
  }

  #wait(parts: Pick<WaitRecord, 'off' | 'on' | 'onBefore'> & Partial<WaitRecord>): void {
    const { tgid, tid } = this;
    const record: WaitRecord = {
      tgid,
      tid,
      wake: parts.on,
      open: false,
      preempted: false,
      syscall: -1,
      args: [0, 0, 0],
      state: 1,
      iowait: false,
      fdKind: 0,
      wakerTgid: 0,
      wakerTid: 0,
      wakerSyscall: -1,
      socket: undefined,
      file: undefined,
      ...parts,
    };
    this.#world.at(record.on, (engine) => engine.wait(record));
  }
}
