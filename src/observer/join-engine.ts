/**
 * The join: spans of SDKs in, what their threads did out; exchanges that no SDK stands for go on as spans of their own.
 *
 * Everything happens on the observer's thread and in event time: `advance` says up to when the kernel's story has been
 * told. A batch waits until each of its spans is either explained or certainly not explainable, at most `holdMs`; an
 * exchange waits for the span of its process' SDK (`apmWaitMs`), or, in a process without one, until its thread's time
 * is known.
 */
import { SpanKind } from '../otlp/span-constants.js';
import { spansOf } from '../otlp/trace-view.js';
import { WireWriter } from '../otlp/wire-writer.js';
import { breakDown, type Piece } from './breakdown.js';
import type { Architecture } from './classify-syscalls.js';
import { type Ancestor, JoinAncestry } from './join-ancestry.js';
import { JoinConnections } from './join-connections.js';
import type { EventLoopContext, WorkUnit } from './join-event-loop.js';
import { type HeldExchange, JoinExchanges } from './join-exchanges.js';
import { findExchange, type Match } from './join-match.js';
import { type Evidence, planClient, planServer } from './join-plan.js';
import { encodeProfile, type ProfileContext } from './join-profile.js';
import { encodeRun, RunTemplates } from './join-run-profile.js';
import { JoinSenders } from './join-senders.js';
import { type JoinSpan, toJoinSpan } from './join-span.js';
import type { CreateJoinEngine, JoinDependencies, JoinEngine, SpanEdit } from './join-types.js';
import { recall } from './recall.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import { Timeline } from './timeline.js';
import { DetailTriggers } from './triggers/detail-triggers.js';
import { ofExchange, ofSpan } from './triggers/trigger-span.js';
import type { CatchAnswer, CatchRequest, Trigger } from './triggers/trigger-types.js';
import type {
  Exchange,
  MonoNs,
  NetCloseRecord,
  NetDataRecord,
  NetOpenRecord,
  SampleRecord,
  WaitRecord,
} from './types.js';

const NS_PER_MS = 1_000_000;
/** After a span's end, before it is said that no exchange belongs to it. */
const SETTLE_NS = 200 * NS_PER_MS;
const DEFAULT_APM_WAIT_MS = 6_000;
const DEFAULT_MAX_EVENTS = 64;
const DEFAULT_MAX_HELD = 50_000;
/** The counters are read a little after the time that is taken for it. */
const COUNT_SLACK_NS = 5 * NS_PER_MS;
/** What the kernel itself saw needs no join; only which thread did it is concluded. */
const OBSERVED: Evidence = { words: 'kernel', confidence: 0.99 };

interface Query {
  readonly id: number;
  readonly sender: number | undefined;
  /** 0 until the first watermark is known. */
  deadline: MonoNs;
  readonly tasks: Task[];
  readonly edits: SpanEdit[];
}

interface Task {
  readonly span: JoinSpan;
  match: Match | undefined;
  done: boolean;
}

/** What a span stands for, and the threads that must be known for it. */
interface Explanation {
  readonly pieces: () => Piece[];
  readonly threads: readonly { readonly tgid: number; readonly tid: number }[];
}

export const createJoinEngine: CreateJoinEngine = (dependencies) => new Engine(dependencies);

const HOST_ARCHITECTURE: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

class Engine implements JoinEngine, EventLoopContext {
  readonly timeline: Timeline;
  readonly architecture: Architecture = HOST_ARCHITECTURE;
  readonly connections = new JoinConnections();
  readonly #dependencies: JoinDependencies;
  readonly #exchanges = new JoinExchanges();
  readonly #ancestry = new JoinAncestry(this.#exchanges);
  readonly #senders: JoinSenders;
  readonly #profile: ProfileContext;
  readonly #triggers: DetailTriggers;
  readonly #oneRun = new RunTemplates(OBSERVED.confidence, `${OBSERVED.words},same_thread`);
  readonly #holdNs: number;
  readonly #apmWaitNs: number;
  readonly #maxHeld: number;
  #watermark: MonoNs = 0;
  #queries: Query[] = [];
  /** Exchanges that wait for a span, in the order of their deadlines. */
  #waiting: HeldExchange[] = [];
  #waitingHead = 0;
  /** Exchanges that wait for their thread's next record only. */
  #settling: HeldExchange[] = [];
  #held = 0;
  readonly #counts = {
    spans_received: 0,
    spans_enriched: 0,
    spans_unmatched: 0,
    spans_remote: 0,
    spans_unexplained: 0,
    spans_low_confidence: 0,
    spans_invalid: 0,
    batches_unreadable: 0,
    queries_received: 0,
    queries_answered: 0,
    exchanges_received: 0,
    exchanges_joined: 0,
    exchanges_emitted: 0,
    /** Requests to this agent, by which applications deliver telemetry. */
    exchanges_telemetry: 0,
    exchanges_emitted_early: 0,
    exchanges_late: 0,
    exchanges_profiled: 0,
    /** Left without a profile because the observer ended. */
    exchanges_unprofiled: 0,
  };

  constructor(dependencies: JoinDependencies) {
    const { config, processes, symbolizer } = dependencies;
    this.#dependencies = dependencies;
    this.timeline = new Timeline(
      config.timelineBytes === undefined ? {} : { budgetBytes: config.timelineBytes },
    );
    this.#senders = new JoinSenders(processes, this.connections);
    this.#holdNs = config.holdMs * NS_PER_MS;
    this.#apmWaitNs = (config.apmWaitMs ?? DEFAULT_APM_WAIT_MS) * NS_PER_MS;
    this.#maxHeld = config.maxHeldExchanges ?? DEFAULT_MAX_HELD;
    this.#triggers = new DetailTriggers(config.triggers);
    this.#profile = {
      timeline: this.timeline,
      architecture: this.architecture,
      processes,
      symbolizer,
      maxEvents: config.maxEvents ?? DEFAULT_MAX_EVENTS,
      details: this.#triggers,
      writer: new WireWriter(4096),
    };
  }

  wait(record: WaitRecord): void {
    this.timeline.wait(record);
  }

  sample(record: SampleRecord): void {
    this.timeline.sample(record);
  }

  exec(record: { tgid: number }): void {
    this.#senders.forget(record.tgid);
  }

  exit(record: { time: MonoNs; tgid: number; tid: number; last: boolean }): void {
    this.timeline.exit(record.tgid, record.tid, record.time);
    if (record.last) this.#senders.forget(record.tgid);
  }

  netOperation(record: NetDataRecord): void {
    // A continuation is announced when the call begins and may be sent by another context later.
    if (!record.continuation) this.timeline.operation(record);
    this.connections.operation(record);
  }

  netOpened(record: NetOpenRecord): void {
    this.connections.opened(record);
  }

  netClosed(record: NetCloseRecord): void {
    this.connections.closed(record.socketCookie);
  }

  lost(from: MonoNs, to: MonoNs): void {
    this.timeline.lost(from, to + COUNT_SLACK_NS);
  }

  checked(time: MonoNs): void {
    this.timeline.checked(time);
  }

  exchange(exchange: Exchange): void {
    this.#counts.exchanges_received++;
    const { tgid } = exchange;
    this.connections.learn(exchange);
    const now = Math.max(this.#watermark, exchange.responseEnd);
    const waits = this.#senders.mayDeliver(tgid, now);
    const entry = this.#exchanges.add(exchange, now + (waits ? this.#apmWaitNs : this.#holdNs));
    (waits ? this.#waiting : this.#settling).push(entry);
    this.#held++;
    if (this.#held > this.#maxHeld) this.#emitOldest();
  }

  query(id: number, batch: Uint8Array, connection?: Parameters<JoinEngine['query']>[2]): void {
    this.#counts.queries_received++;
    const sender = connection === undefined ? undefined : this.#senders.senderOf(connection, this.#watermark);
    if (sender !== undefined) this.#senders.delivers(sender);
    const query: Query = {
      id,
      sender,
      deadline: this.#watermark === 0 ? 0 : this.#watermark + this.#holdNs,
      tasks: this.#readTasks(batch),
      edits: [],
    };
    for (const { span } of query.tasks) this.#ancestry.note(span);
    this.#match(query);
    const isRemote = connection !== undefined && sender === undefined;
    if (isRemote && query.tasks.every((task) => task.match === undefined)) {
      this.#counts.spans_remote += query.tasks.length;
      this.#answer(query);
      return;
    }
    for (const task of query.tasks) this.#explain(query, task, false);
    if (isDone(query)) this.#answer(query);
    else this.#queries.push(query);
  }

  recall(question: RecallQuestion): RecallAnswer {
    const { clock, symbolizer } = this.#dependencies;
    return recall({ timeline: this.timeline, clock, symbolizer }, question);
  }

  catch(request: CatchRequest): CatchAnswer {
    return this.#triggers.catch(request, this.#watermark);
  }

  advance(watermark: MonoNs): void {
    if (watermark <= this.#watermark) return;
    this.#watermark = watermark;
    this.timeline.advance(watermark);
    this.#workAll(false);
    this.#emitDue();
    this.#exchanges.expire(watermark - this.#dependencies.config.windowMs * NS_PER_MS);
  }

  flush(hasTime = (): boolean => true): void {
    this.#workAll(true);
    for (const entry of [...this.#settling, ...this.#waiting.slice(this.#waitingHead)]) {
      if (entry.state === 'held') this.#emit(entry, hasTime());
    }
    this.#settling = [];
    this.#waiting = [];
    this.#waitingHead = 0;
  }

  stats(): Record<string, number> {
    return {
      ...this.#counts,
      join_spans_held: this.#queries.reduce(
        (sum, query) => sum + query.tasks.filter((task) => !task.done).length,
        0,
      ),
      join_queries_held: this.#queries.length,
      join_exchanges_held: this.#held,
      ...this.timeline.stats(),
      ...this.#triggers.stats(),
    };
  }

  othersInFlight(unit: WorkUnit, from: MonoNs, to: MonoNs): boolean {
    for (const { exchange } of this.#exchanges.ofProcess(unit.tgid, from, to)) {
      const { role, socketCookie, requestTid, responseTid } = exchange;
      if (role !== 'server' || (requestTid !== unit.tid && responseTid !== unit.tid)) continue;
      if (socketCookie !== unit.socketCookie) return true;
    }
    return this.connections.hasPending(unit.tgid, unit.tid, to, unit.socketCookie);
  }

  sameTrace(unit: WorkUnit, socketCookie: number, time: MonoNs): boolean | undefined {
    if (!this.#exchanges.haveContexts) return undefined;
    const request = this.#onSocket(unit.tgid, unit.socketCookie, unit.from)?.context;
    if (request === undefined) return undefined;
    const call = this.#onSocket(unit.tgid, socketCookie, time)?.context;
    return call === undefined ? undefined : call.traceId === request.traceId;
  }

  /** The exchange that began on a socket at `time`. */
  #onSocket(tgid: number, socketCookie: number, time: MonoNs): Exchange | undefined {
    for (const { exchange } of this.#exchanges.ofProcess(tgid, time, time)) {
      if (exchange.socketCookie === socketCookie && exchange.requestStart === time) return exchange;
    }
    return undefined;
  }

  #readTasks(batch: Uint8Array): Task[] {
    const tasks: Task[] = [];
    try {
      for (const view of spansOf(batch)) {
        this.#counts.spans_received++;
        const span = toJoinSpan(view, this.#dependencies.clock);
        if (span === undefined) this.#counts.spans_invalid++;
        else tasks.push({ span, match: undefined, done: false });
      }
    } catch (error) {
      this.#counts.batches_unreadable++;
      this.#dependencies.log.warn('A batch of spans could not be read by the join.', {
        error: String(error),
      });
    }
    return tasks;
  }

  #workAll(isLast: boolean): void {
    if (this.#queries.length === 0) return;
    for (const query of this.#queries) {
      if (query.deadline === 0) query.deadline = this.#watermark + this.#holdNs;
      this.#match(query);
      const isDue = isLast || this.#watermark >= query.deadline;
      for (const task of query.tasks) if (!task.done) this.#explain(query, task, isDue);
    }
    const [done, open] = partition(this.#queries, isDone);
    this.#queries = open;
    for (const query of done) this.#answer(query);
  }

  /** Comes before any explanation: inner spans inherit from those that are on the wire. */
  #match(query: Query): void {
    for (const task of query.tasks) {
      if (task.done || task.match !== undefined) continue;
      task.match = findExchange(
        { exchanges: this.#exchanges, processes: this.#dependencies.processes },
        task.span,
        query.sender,
      );
      if (task.match !== undefined) this.#claim(task.span, task.match);
    }
  }

  #explain(query: Query, task: Task, isLast: boolean): void {
    const { span } = task;
    const explanation = this.#explanationOf(query, task);
    if (explanation === undefined) {
      if (!isLast && this.#watermark < span.end + SETTLE_NS) return;
      task.done = true;
      this.#counts.spans_unmatched++;
      return;
    }
    if (!isLast && !this.#isKnown(explanation.threads, span.end)) return;
    task.done = true;
    const fields = this.#fieldsOf(span, explanation.pieces());
    if (fields !== undefined) query.edits.push({ offset: span.view.start, fields });
  }

  #explanationOf(query: Query, { span, match }: Task): Explanation | undefined {
    if (match !== undefined) {
      const { exchange } = match.entry;
      return {
        threads: threadsOf(exchange),
        pieces: () =>
          exchange.role === 'server'
            ? planServer(this, exchange, match.evidence, span.start, span.end)
            : planClient(this, exchange, this.#callerOf(exchange), match.evidence, span.start, span.end),
      };
    }
    if (span.kind === SpanKind.server || span.kind === SpanKind.consumer) return undefined;
    const ancestor = this.#ancestry.ancestorOf(span, query.sender);
    if (ancestor === undefined || !this.#ranOnThread(span, ancestor)) return undefined;
    return {
      threads: threadsOf(ancestor.exchange),
      pieces: () => planServer(this, ancestor.exchange, ancestor.evidence, span.start, span.end),
    };
  }

  /**
   * Starting and ending a span takes a running thread. One that slept at either moment did neither: the span belongs to
   * another thread, which nothing is known of.
   */
  #ranOnThread(span: JoinSpan, { exchange }: Ancestor): boolean {
    if (exchange.requestTid !== exchange.responseTid) return true;
    return this.#ranAt(exchange, span.start, span) && this.#ranAt(exchange, span.end, span);
  }

  #ranAt({ tgid, requestTid }: Exchange, time: MonoNs, { clockErrorNs, isCoarse }: JoinSpan): boolean {
    let slept = true;
    // A coarse clock is early, never late; a fine one is off by little in both directions.
    const late = isCoarse ? clockErrorNs : FINE_NS;
    this.timeline.visit(tgid, requestTid, time - FINE_NS, time + late, (_from, _to, kind) => {
      if (kind !== 'blocked') slept = false;
    });
    return !slept;
  }

  /**
   * Its thread was on a CPU from the first byte to the last and did nothing for others meanwhile: most requests of a
   * busy server. Then there is one piece and one slice, as `planServer` and `breakDown` would find, at a tenth of the
   * time.
   */
  #isOneRun(exchange: Exchange): boolean {
    const {
      tgid,
      requestTid: tid,
      responseTid,
      requestStart: from,
      responseEnd: to,
      socketCookie,
    } = exchange;
    const { timeline } = this;
    if (tid !== responseTid || OBSERVED.confidence < this.#dependencies.config.minConfidence) return false;
    if (!timeline.ranThroughout(tgid, tid, from, to) || timeline.isSampled(tgid, tid, from, to)) return false;
    return !timeline.usedSocket(
      tgid,
      tid,
      from,
      to,
      (cookie) => cookie !== socketCookie && this.connections.get(cookie)?.role === 'server',
    );
  }

  /** The request on whose behalf a call was made: the only one on its thread at that time, or the one of its trace. */
  #callerOf(call: Exchange): Exchange | undefined {
    let caller: Exchange | undefined;
    let count = 0;
    for (const { exchange } of this.#exchanges.ofProcess(call.tgid, call.requestStart, call.requestStart)) {
      if (exchange.role !== 'server' || exchange.requestTid !== call.requestTid) continue;
      const isSame =
        call.context !== undefined && exchange.context !== undefined
          ? call.context.traceId === exchange.context.traceId
          : undefined;
      if (isSame === true) return exchange;
      if (isSame === false) continue;
      caller = exchange;
      count++;
    }
    return count === 1 ? caller : undefined;
  }

  #isKnown(threads: Explanation['threads'], until: MonoNs): boolean {
    if (this.#watermark < until) return false;
    return threads.every(({ tgid, tid }) => this.timeline.knownUntil(tgid, tid) >= until);
  }

  #isSettled({ tgid, requestTid, responseTid, responseEnd }: Exchange): boolean {
    if (this.#watermark < responseEnd || this.timeline.knownUntil(tgid, requestTid) < responseEnd)
      return false;
    return requestTid === responseTid || this.timeline.knownUntil(tgid, responseTid) >= responseEnd;
  }

  #fieldsOf(span: JoinSpan, pieces: readonly Piece[]): Uint8Array | undefined {
    const { minConfidence } = this.#dependencies.config;
    const sure = pieces.filter((piece) => piece.confidence >= minConfidence);
    if (sure.length === 0 && pieces.length > 0) {
      this.#counts.spans_low_confidence++;
      return undefined;
    }
    const breakdown = breakDown(span.start, span.durationNs, sure, this.timeline, this.architecture);
    if (breakdown.totals.unattributed === span.durationNs) {
      this.#counts.spans_unexplained++;
      return undefined;
    }
    this.#counts.spans_enriched++;
    const trigger = this.#triggers.choose(() => ofSpan(span), this.#watermark);
    return encodeProfile(this.#profile, breakdown, span.start, span.startTime, trigger).slice();
  }

  /** The span stands for the exchange, which does not become one of its own any more. */
  #claim(span: JoinSpan, match: Match): void {
    for (const entry of [match.entry, ...match.others]) {
      if (entry.state === 'emitted') this.#counts.exchanges_late++;
      if (entry.state !== 'held') continue;
      this.#held--;
      this.#counts.exchanges_joined++;
      this.#exchanges.finish(entry, 'joined');
      this.#senders.delivers(entry.exchange.tgid);
    }
    if (match.entry.exchange.role === 'server') {
      this.#ancestry.found(span, match.entry.exchange, match.evidence);
    }
  }

  #answer(query: Query): void {
    this.#counts.queries_answered++;
    this.#dependencies.answer(
      query.id,
      query.edits.sort((a, b) => a.offset - b.offset),
    );
  }

  #emitDue(): void {
    while (this.#waitingHead < this.#waiting.length) {
      const entry = this.#waiting[this.#waitingHead]!;
      if (entry.state === 'held' && entry.deadline > this.#watermark) break;
      this.#waitingHead++;
      if (entry.state === 'held') this.#emit(entry);
    }
    if (this.#waitingHead > 1024 && this.#waitingHead * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingHead);
      this.#waitingHead = 0;
    }
    if (this.#settling.length === 0) return;
    const still: HeldExchange[] = [];
    for (const entry of this.#settling) {
      if (entry.state !== 'held') continue;
      if (entry.deadline > this.#watermark && !this.#isSettled(entry.exchange)) {
        still.push(entry);
      } else this.#emit(entry);
    }
    this.#settling = still;
  }

  /** Too many wait: the ones that wait longest leave unjoined, an eighth at once. */
  #emitOldest(): void {
    let count = Math.max(1, this.#maxHeld >> 3);
    for (; count > 0 && this.#waitingHead < this.#waiting.length; this.#waitingHead++) {
      const entry = this.#waiting[this.#waitingHead]!;
      if (entry.state !== 'held') continue;
      this.#counts.exchanges_emitted_early++;
      this.#emit(entry);
      count--;
    }
    for (const entry of this.#settling.splice(0, count)) {
      if (entry.state !== 'held') continue;
      this.#counts.exchanges_emitted_early++;
      this.#emit(entry);
    }
  }

  #emit(entry: HeldExchange, profiled = true): void {
    this.#held--;
    this.#exchanges.finish(entry, 'emitted');
    if (entry.exchange.role === 'client' && this.#senders.isAgent(entry.exchange.tuple)) {
      this.#counts.exchanges_telemetry++;
      return;
    }
    this.#counts.exchanges_emitted++;
    if (!profiled) this.#counts.exchanges_unprofiled++;
    this.#dependencies.emitExchange(entry.exchange, profiled ? this.#profileOf(entry.exchange) : undefined);
  }

  #profileOf(exchange: Exchange): Uint8Array | undefined {
    const { requestStart, responseEnd, role } = exchange;
    const durationNs = Math.round(responseEnd - requestStart);
    if (!(durationNs > 0)) return undefined;
    if (this.#isOneRun(exchange)) {
      this.#counts.exchanges_profiled++;
      const trigger = this.#triggerOf(exchange, durationNs);
      const { clock } = this.#dependencies;
      return encodeRun(this.#profile, exchange, this.#oneRun, durationNs, clock, trigger);
    }
    const pieces =
      role === 'server'
        ? planServer(this, exchange, OBSERVED, requestStart, responseEnd)
        : planClient(this, exchange, this.#callerOf(exchange), OBSERVED, requestStart, responseEnd);
    const sure = pieces.filter((piece) => piece.confidence >= this.#dependencies.config.minConfidence);
    const breakdown = breakDown(requestStart, durationNs, sure, this.timeline, this.architecture);
    if (breakdown.totals.unattributed === durationNs) return undefined;
    this.#counts.exchanges_profiled++;
    const startTime = this.#dependencies.clock.toUnix(requestStart);
    const trigger = this.#triggerOf(exchange, durationNs);
    return encodeProfile(this.#profile, breakdown, requestStart, startTime, trigger);
  }

  #triggerOf(exchange: Exchange, durationNs: number): Trigger | undefined {
    const { processes } = this.#dependencies;
    return this.#triggers.choose(() => ofExchange(exchange, durationNs, processes), this.#watermark);
  }
}

/** How far the clocks of kernel and SDK are apart when the SDK's is a fine one. */
const FINE_NS = 20_000;

function threadsOf(exchange: Exchange): Explanation['threads'] {
  const { tgid, requestTid, responseTid } = exchange;
  return requestTid === responseTid
    ? [{ tgid, tid: requestTid }]
    : [
        { tgid, tid: requestTid },
        { tgid, tid: responseTid },
      ];
}

const isDone = (query: Query): boolean => query.tasks.every((task) => task.done);

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
