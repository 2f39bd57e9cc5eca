/**
 * The observer: kernel records in, spans and answers out. Everything it does follows from the calls it gets, in their
 * order; it has no timer, no clock and no I/O of its own. So the same object runs in the worker thread of a live agent,
 * in a replay, and in tests, and does the same each time.
 *
 *     records() ─► decoder ─► connections ─► exchange ─┐                     ┌─► span batches
 *                    └► waits, samples, processes ─────┴─► join engine ──────┤
 *     query()  ─────────────────────────────────────────►                    └─► answers
 */
import type { Origin } from '../component/signal.js';
import type { MetricBatch } from '../metrics/aggregator.js';
import type { ConversationShared } from '../protocols/conversation.js';
import { ProtocolCounters } from '../protocols/counters.js';
import { EndpointMemory } from '../protocols/endpoint-memory.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { UrlTemplateOptions } from '../protocols/http/url-template.js';
import { ProtocolRegistry } from '../protocols/registry.js';
import { STAT } from '../receiver/ebpf/abi.gen.js';
import type { Logger } from '../telemetry/logger.js';
import { ObserverClock } from './clock.js';
import type { Connection } from './connection.js';
import { type ConnectionLimits, type ConnectionOutput, ConnectionTable } from './connections.js';
import type { SharedTopic } from './cost/process-shares.js';
import { DatagramLinks } from './datagram-links.js';
import { DatagramTable } from './datagrams.js';
import { Decoder } from './decoder.js';
import { DelayQueue } from './delay-queue.js';
import { toExchange } from './exchange-builder.js';
import { ExchangeCounters } from './exchange-counters.js';
import { ExchangeLinks } from './exchange-links.js';
import { ExchangeUrls } from './exchange-urls.js';
import { connectFailure, failedConnect } from './failed-connect.js';
import type { CreateJoinEngine, JoinConfig, JoinEngine, SpanEdit, UnixNs } from './join-types.js';
import { type MeasurementOptions, ObserverMeasurements } from './metrics/observer-measurements.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import type { RecordingSink } from './recording-format.js';
import { type SpanBatch, SpanBuilder, type SpanBuilderOptions } from './span-builder.js';
import { hasParent } from './span-identity.js';
import { TlsJoin, type TlsView } from './tls/tls-join.js';
import { isTlsRecord } from './tls/tls-wire.js';
import type { CatchAnswer, CatchRequest } from './triggers/trigger-types.js';
import type {
  EventSink,
  Exchange,
  MonoNs,
  NetCloseRecord,
  NetDataRecord,
  ProcessTable,
  SocketTuple,
  Symbolizer,
} from './types.js';
import { fromWire, receivingRole } from './wire-exchange.js';

/** Kernel counters of records that are missing from the story of a thread. */
const MISSING = [STAT.SCHED_RING_FULL, STAT.NET_DATA_RING_FULL, STAT.SCHED_SHED] as const;

/**
 * A client's record may come so much later than its server's answer: where bytes are seen at the end of the calls that move
 * them (TLS libraries; datagrams at system calls), the server may be done before the client has left its own.
 */
const OTHER_END_NS = 100e6;

export interface ObserverOptions {
  readonly limits: ConnectionLimits;
  readonly spans: SpanBuilderOptions;
  /** See `ExchangeLinks`. */
  readonly idSeed: string;
  readonly join: JoinConfig;
  /** Absent: paths have no templates. */
  readonly urlTemplates?: UrlTemplateOptions | undefined;
  /** Absent: nothing is measured. */
  readonly metrics?: MeasurementOptions | undefined;
  /** False: exchanges become no spans, only metrics. */
  readonly sendsSpans?: boolean;
}

/** Where results go. Called during `advance`, `records`, `query` and `flush`. */
export interface ObserverOutput {
  spans(batch: SpanBatch): void;
  /** Encoded metrics, once per interval. */
  metrics?(batch: MetricBatch): void;
  answer(id: number, edits: readonly SpanEdit[]): void;
}

/** Says how much of a socket's payload is still wanted; takes effect with one of its next messages. */
export interface CaptureLimiter {
  /** `headBytes` and `tailBytes` as in `CaptureRule` (src/receiver/ebpf/native.ts). */
  limit(socketCookie: number, headBytes: number | 'nothing', tailBytes?: number): void;
}

/** What the keeper of the TLS probes wants to know. */
export interface TlsWatch {
  /** Its connection looks like TLS. */
  handshake(tgid: number): void;
  /** It uses a probed library. */
  used(tgid: number): void;
  exec(tgid: number): void;
  ended(tgid: number): void;
}

export interface ObserverParts {
  readonly processes: ProcessTable;
  readonly symbolizer: Symbolizer;
  readonly createEngine: CreateJoinEngine;
  readonly output: ObserverOutput;
  readonly log: Logger;
  /** Protocols to look for besides HTTP/1.x; none when absent. */
  readonly protocols?: ProtocolRegistry | undefined;
  /** Gets a copy of everything that comes in. */
  readonly recording?: RecordingSink | undefined;
  /** Absent: everything that the configuration allows is wanted, always (replays, tests). */
  readonly limiter?: CaptureLimiter | undefined;
  /** Hears of processes that may have to be probed for TLS. */
  readonly tls?: TlsWatch | undefined;
  /** Is told whose records come in. */
  readonly cost?: RecordCounter | undefined;
}

export interface RecordCounter {
  count(tgid: number, topic: SharedTopic): void;
}

/** Both ends have the same address, or one that means this machine; a socket may not know its own. */
const mayBeLocal = ({ localAddress, remoteAddress }: SocketTuple): boolean =>
  remoteAddress === localAddress || /^(?:127\.|::1$)/.test(remoteAddress);

export class Observer {
  readonly #parts: ObserverParts;
  readonly #clock = new ObserverClock();
  readonly #counters = new ExchangeCounters();
  readonly #wireCounters = new ProtocolCounters();
  readonly #wires: ConversationShared | undefined;
  readonly #connections: ConnectionTable;
  /** The streams inside TLS, by the cookie of their sockets. */
  readonly #plaintext: ConnectionTable;
  readonly #tls: TlsJoin;
  readonly #decoder: Decoder;
  readonly #engine: JoinEngine;
  /** UDP; undefined when no protocol is looked for. */
  readonly #datagrams: DatagramTable | undefined;
  readonly #links: ExchangeLinks;
  readonly #datagramLinks = new DatagramLinks();
  /** Servers' exchanges of which the client's may be told later. */
  readonly #lateServers = new DelayQueue<Exchange>(OTHER_END_NS, (exchange) =>
    this.#engine.exchange(exchange),
  );
  readonly #spans: SpanBuilder;
  readonly #measurements: ObserverMeasurements | undefined;
  readonly #urls: ExchangeUrls | undefined;
  readonly #idSeed: string;
  /** Calls of connect() that came to nothing, by reason. */
  readonly #connectFailures = new Map<string, number>();
  #nextExchange = 1;
  #spansBuilt = 0;
  #watermark: MonoNs = 0;
  #statsAt: MonoNs = 0;
  #recordsLost = 0;
  #kernelStats: Float64Array | undefined;

  constructor(options: ObserverOptions, parts: ObserverParts) {
    this.#parts = parts;
    const { processes, symbolizer, log, protocols } = parts;
    if (protocols !== undefined) {
      // HTTP/1.x has its own pairing, which counts by the kernel's turns (exchange-pairing.ts).
      const others = protocols.all.filter(({ name }) => name !== 'http1');
      this.#wires = {
        registry: new ProtocolRegistry(others),
        options: options.spans.protocols,
        counters: this.#wireCounters,
        memory: new EndpointMemory(),
        failed: (protocol, error) =>
          log.error('A protocol parser failed. Its connection is not parsed any more.', {
            protocol,
            error: error instanceof Error ? (error.stack ?? error.message) : String(error),
          }),
      };
    }
    this.#idSeed = options.idSeed;
    this.#links = new ExchangeLinks(options.idSeed);
    this.#spans = new SpanBuilder(options.spans, processes, this.#clock);
    const { urlTemplates } = options;
    if (urlTemplates !== undefined && urlTemplates.mode !== 'off') {
      this.#urls = new ExchangeUrls(urlTemplates, processes);
    }
    if (options.metrics !== undefined) {
      const { protocols: shown } = options.spans;
      this.#measurements = new ObserverMeasurements(options.metrics, shown, processes, this.#clock);
    }
    const sendsSpans = options.sendsSpans !== false;
    const output: ConnectionOutput = {
      opened: (connection, draft) => {
        // Looked up now: when its span is built the process may have ended.
        processes.get(draft.tgid);
        draft.identity = this.#links.identify(connection, draft, connection.pairing!.role);
      },
      finished: (connection, draft, incomplete) => {
        const exchange = toExchange(this.#nextExchange++, connection, draft, incomplete);
        this.#urls?.name(exchange);
        this.#finished(exchange);
      },
      begun: (connection, exchange) => {
        processes.get(exchange.tgid);
        exchange.identity = this.#links.identify(
          connection,
          exchange,
          receivingRole(connection.side ?? 'client', exchange),
        );
      },
      ended: (connection, exchange) => this.#ended(connection, exchange, undefined),
      recognized: (connection: Connection) => this.#links.recognized(connection),
      removed: (connection: Connection) => this.#links.removed(connection),
      ignored: (connection, record) => this.#ignore(connection, record),
    };
    this.#connections = new ConnectionTable(options.limits, this.#counters, output, this.#wires);
    if (this.#wires !== undefined) {
      this.#datagrams = new DatagramTable(
        options.limits,
        {
          ...output,
          begun: (flow, exchange, record) => this.#begunDatagram(flow, exchange, record),
        },
        this.#wires,
      );
    }
    const plaintext: ConnectionOutput = {
      ...output,
      opened: (connection, draft) => {
        draft.tls = this.#tls.viewOf(connection.cookie);
        output.opened(connection, draft);
      },
      finished: (connection, draft, incomplete) => {
        const exchange = toExchange(this.#nextExchange++, connection, draft, incomplete);
        this.#urls?.name(exchange);
        this.#handOut(connection, exchange);
      },
      // The bytes of the socket are another matter.
      ignored: () => {},
      ended: (connection, exchange) => this.#ended(connection, exchange, this.#tls.viewOf(connection.cookie)),
    };
    this.#plaintext = new ConnectionTable(options.limits, this.#counters, plaintext, this.#wires);
    this.#tls = new TlsJoin(options.limits.maxConnections, {
      plaintext: (record) => this.#plaintext.netData(record),
      closed: (record) => this.#plaintext.netClose(record),
      handshake: (tgid) => parts.tls?.handshake(tgid),
      inClear: (cookie) => {
        this.#connections.setAside(cookie);
        parts.limiter?.limit(cookie, 0);
      },
    });
    this.#engine = parts.createEngine({
      emitExchange: (exchange, profile) => {
        if (!sendsSpans) return;
        this.#spansBuilt++;
        if (this.#spans.add(exchange, profile, this.#watermark)) this.#sendSpans();
      },
      answer: (id, edits) => parts.output.answer(id, edits),
      processes,
      symbolizer,
      clock: this.#clock,
      config: options.join,
      log,
    });
    this.#decoder = new Decoder(this.#sink());
  }

  /** Kernel records back to back, `bytes[0, length)`; nothing is kept of them. */
  records(bytes: Uint8Array, length: number): void {
    this.#parts.recording?.records(bytes, length);
    this.#decoder.decode(bytes, length);
  }

  /** From `now` on the wall clock is CLOCK_MONOTONIC + `offset`. */
  clockMeasured(now: MonoNs, offset: UnixNs, errorNs: number): void {
    this.#parts.recording?.clock(now, offset, errorNs);
    this.#clock.measured(now, offset, errorNs);
    this.#measurements?.begin(now);
  }

  /** The kernel's counters (in the order of `STATS`), as they were when every record up to `now` had been written. */
  kernelCounted(now: MonoNs, stats: Float64Array): void {
    this.#parts.recording?.kernelStats(now, stats);
    let lost = 0;
    for (const stat of MISSING) lost += stats[stat] ?? 0;
    if (lost > this.#recordsLost) this.#engine.lost?.(this.#statsAt, now);
    this.#engine.checked?.(now);
    this.#recordsLost = lost;
    this.#statsAt = now;
    this.#kernelStats = stats.slice();
  }

  /** Every record up to `watermark` has been given to `records`. */
  advance(watermark: MonoNs): void {
    if (watermark <= this.#watermark) return;
    this.#parts.recording?.advance(watermark);
    this.#watermark = watermark;
    this.#connections.advance(watermark);
    this.#plaintext.advance(watermark);
    this.#datagrams?.advance(watermark);
    this.#lateServers.advance(watermark);
    this.#engine.advance(watermark);
    if (this.#spans.isDue(watermark)) this.#sendSpans();
    if (this.#measurements !== undefined) this.#sendMetrics(this.#measurements.advance(watermark));
  }

  /** Asks the join about an OTLP traces batch; the answer comes through the output. */
  query(id: number, batch: Uint8Array, origin: Origin): void {
    this.#parts.recording?.query(batch, origin);
    this.#engine.query(id, batch, origin.connection);
  }

  /** What the flight recorder still has. */
  recall(question: RecallQuestion): RecallAnswer {
    return this.#engine.recall?.(question) ?? { samples: question.ranges.map(() => []), omitted: 0 };
  }

  /** Tells the next spans of some kind in detail. */
  catch(request: CatchRequest): CatchAnswer {
    return (
      this.#engine.catch?.(request) ?? {
        refused: 'No span gets details: no trace_profiling processor runs.',
        waiting: [],
      }
    );
  }

  /** Ends everything that is under way and hands it out. The last call. `hasTime`: see `JoinEngine.flush`. */
  flush(hasTime?: () => boolean): void {
    this.#connections.flush();
    this.#plaintext.flush();
    this.#datagrams?.flush();
    this.#lateServers.flush();
    this.#engine.flush(hasTime);
    this.#sendSpans();
    if (this.#measurements !== undefined) this.#sendMetrics(this.#measurements.flush(this.#watermark));
  }

  /** Counters since creation and a few gauges (`*_held`, `connections`). Walks the connections. */
  stats(): Record<string, number> {
    const connections = this.#connections;
    const datagrams = this.#datagrams;
    const failures = [...this.#connectFailures].map(([reason, count]) => [
      `connects_failed_${reason}`,
      count,
    ]);
    return {
      ...Object.fromEntries(failures),
      ...this.#counters.toRecord(),
      ...this.#wireCounters.toRecord(),
      ...this.#engine.stats(),
      records: this.#decoder.records,
      records_unknown: this.#decoder.unknown,
      records_malformed: this.#decoder.malformed,
      connections: connections.size,
      connections_evicted: connections.evicted,
      connections_expired: connections.expired,
      connections_ignored: connections.ignored,
      exchanges_held:
        connections.held + this.#plaintext.held + (datagrams?.held ?? 0) + this.#lateServers.size,
      datagram_peers_held: datagrams?.size ?? 0,
      datagram_peers_evicted: datagrams?.evicted ?? 0,
      datagrams_lost: datagrams?.lost ?? 0,
      datagrams_unread: datagrams?.unread ?? 0,
      datagrams_failed: datagrams?.failed ?? 0,
      ...this.#tls.stats(),
      turns_accounted: connections.turns,
      spans_built: this.#spansBuilt,
      spans_held: this.#spans.held,
      ...this.#urls?.stats(),
      ...this.#measurements?.stats(),
    };
  }

  /** The last counters given to `kernelCounted`. */
  get kernelStats(): Float64Array | undefined {
    return this.#kernelStats;
  }

  /** A connection of no known protocol: its operations still tell what threads did, its bytes tell nothing. */
  #ignore({ cookie }: Connection, record: NetDataRecord): void {
    const { bytes, payloadStart, payloadEnd } = record;
    const needed = this.#engine.netOperation !== undefined || isTlsRecord(bytes, payloadStart, payloadEnd);
    this.#parts.limiter?.limit(cookie, needed ? 0 : 'nothing');
  }

  #sink(): EventSink {
    const engine = this.#engine;
    const connections = this.#connections;
    const datagrams = this.#datagrams;
    const tls = this.#tls;
    const spans = this.#spans;
    const measurements = this.#measurements;
    const urls = this.#urls;
    const { processes, symbolizer, tls: watch, cost } = this.#parts;
    const netOperation = engine.netOperation?.bind(engine);
    return {
      netData: (record) => {
        cost?.count(record.tgid, 'net');
        if (!record.repeatsTail) netOperation?.(record);
        if (record.transport === 'udp') {
          datagrams?.netData(record);
          return;
        }
        connections.netData(record);
        if (!record.repeatsTail) tls.netData(record);
      },
      netOpen: (record) => {
        engine.netOpened?.(record);
        measurements?.netOpen(record);
        connections.netOpen(record);
      },
      netClose: (record) => {
        measurements?.netClose(record);
        if (record.unconnected) {
          this.#connectFailed(record);
          return;
        }
        engine.netClosed?.(record);
        connections.netClose(record);
        tls.netClose(record);
      },
      netUnix: (record) => connections.netUnix(record),
      netTurns: (record) => {
        if (record.transport === 'udp') datagrams?.netTurns(record);
        else connections.netTurns(record);
      },
      netError: (record) => {
        if (record.transport === 'udp') datagrams?.netError(record);
        else connections.netError(record);
      },
      tlsData: (record) => {
        cost?.count(record.tgid, 'tls');
        watch?.used(record.tgid);
        tls.tlsData(record);
      },
      tlsClose: (record) => tls.tlsClose(record),
      wait: (record) => {
        cost?.count(record.tgid, 'sched');
        engine.wait(record);
      },
      sample: (record) => {
        cost?.count(record.tgid, 'cpu');
        engine.sample(record);
      },
      exec: (record) => {
        engine.exec(record);
        processes.invalidate(record.tgid, false);
        spans.processChanged(record.tgid);
        measurements?.processChanged(record.tgid);
        urls?.processChanged(record.tgid);
        symbolizer.invalidate?.(record.tgid, false);
        watch?.exec(record.tgid);
      },
      exit: (record) => {
        engine.exit(record);
        if (!record.last) return;
        datagrams?.ended(record.tgid, record.time);
        processes.invalidate(record.tgid, true);
        spans.processChanged(record.tgid);
        measurements?.processChanged(record.tgid);
        urls?.processChanged(record.tgid);
        symbolizer.invalidate?.(record.tgid, true);
        watch?.ended(record.tgid);
      },
    };
  }

  /** Both ends number their datagrams in their own way: identities are made from the time, and joined by content. */
  #begunDatagram(flow: Connection, exchange: WireExchange, record: NetDataRecord | undefined): void {
    this.#parts.processes.get(exchange.tgid);
    const { context, requestStart, tgid } = exchange;
    const side = flow.side ?? 'client';
    exchange.identity = this.#links.identify(flow, { context, requestOffset: requestStart, tgid }, side);
    if (context !== undefined || record === undefined) return;
    this.#datagramLinks.meet(side, flow.tuple, record, exchange.identity);
  }

  #connectFailed(record: NetCloseRecord): void {
    const reason = connectFailure(record.error);
    this.#connectFailures.set(reason, (this.#connectFailures.get(reason) ?? 0) + 1);
    this.#parts.processes.get(record.tgid);
    this.#engine.exchange(failedConnect(this.#nextExchange++, record, this.#idSeed));
  }

  #handOut(connection: Connection, exchange: Exchange): void {
    const { role, identity, tuple } = exchange;
    const alone =
      role === 'server' &&
      identity !== undefined &&
      (connection.transport === 'udp'
        ? !hasParent(identity)
        : this.#links.awaitsClient(connection, identity));
    if (alone && mayBeLocal(tuple)) {
      this.#measurements?.exchange(exchange);
      this.#lateServers.put(exchange, exchange.responseEnd);
    } else this.#finished(exchange);
  }

  #ended(connection: Connection, wire: WireExchange, tls: TlsView | undefined): void {
    const { conversation } = connection;
    const protocol = this.#wires?.registry.get(wire.protocol);
    if (conversation === undefined || protocol === undefined) return;
    const exchange = fromWire(this.#nextExchange++, connection, conversation, protocol, wire, tls);
    this.#urls?.name(exchange);
    if (tls !== undefined || connection.transport === 'udp') this.#handOut(connection, exchange);
    else this.#finished(exchange);
  }

  #finished(exchange: Exchange): void {
    this.#measurements?.exchange(exchange);
    this.#engine.exchange(exchange);
  }

  #sendMetrics(batches: readonly MetricBatch[]): void {
    for (const batch of batches) this.#parts.output.metrics?.(batch);
  }

  #sendSpans(): void {
    const batch = this.#spans.take();
    if (batch !== undefined) this.#parts.output.spans(batch);
  }
}
