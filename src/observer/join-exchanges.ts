/**
 * Exchanges that wait for a span of an SDK, and for a while those that are done: a late span is recognised, and event
 * loops are told which requests were in flight together. Found by trace context, by trace and by process.
 */
import type { Exchange, MonoNs } from './types.js';

export interface HeldExchange {
  readonly exchange: Exchange;
  /** `held`: may still become a span of its own. `joined`: an SDK's span stands for it. `emitted`: it was one. */
  state: 'held' | 'joined' | 'emitted';
  /** Latest watermark at which it leaves. */
  readonly deadline: MonoNs;
  forgotten: boolean;
}

/** Exchanges longer than this are few and kept apart, so that a look at some milliseconds need not pass all others. */
const LONG_NS = 250_000_000;
const MAX_DONE = 20_000;

interface ProcessExchanges {
  /** In the order of their end, without the long ones. */
  entries: HeldExchange[];
  long: HeldExchange[];
  forgotten: number;
}

export class JoinExchanges {
  readonly #byContext = new Map<string, HeldExchange[]>();
  readonly #serversByTrace = new Map<string, HeldExchange[]>();
  readonly #byProcess = new Map<number, ProcessExchanges>();
  #done: HeldExchange[] = [];
  #doneHead = 0;

  add(exchange: Exchange, deadline: MonoNs): HeldExchange {
    const entry: HeldExchange = { exchange, state: 'held', deadline, forgotten: false };
    const { context } = exchange;
    if (context !== undefined) {
      append(this.#byContext, contextKey(exchange.role, context.traceId, context.spanId), entry);
      if (exchange.role === 'server') append(this.#serversByTrace, context.traceId, entry);
    }
    let process = this.#byProcess.get(exchange.tgid);
    if (process === undefined) {
      process = { entries: [], long: [], forgotten: 0 };
      this.#byProcess.set(exchange.tgid, process);
    }
    if (isLong(exchange)) process.long.push(entry);
    else insert(process.entries, entry);
    return entry;
  }

  byContext(role: Exchange['role'], traceId: string, spanId: string): readonly HeldExchange[] {
    return this.#byContext.get(contextKey(role, traceId, spanId)) ?? [];
  }

  serversOfTrace(traceId: string): readonly HeldExchange[] {
    return this.#serversByTrace.get(traceId) ?? [];
  }

  /** Exchanges of a process that overlap [from, to], in no special order. */
  *ofProcess(tgid: number, from: MonoNs, to: MonoNs): Generator<HeldExchange> {
    const process = this.#byProcess.get(tgid);
    if (process === undefined) return;
    const { entries } = process;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries[middle]!.exchange.responseEnd < from) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < entries.length; index++) {
      const entry = entries[index]!;
      const { exchange } = entry;
      if (exchange.responseEnd > to + LONG_NS) break;
      if (!entry.forgotten && overlaps(exchange, from, to)) yield entry;
    }
    for (const entry of process.long) if (!entry.forgotten && overlaps(entry.exchange, from, to)) yield entry;
  }

  /** `entry` has left: kept for a while, then forgotten. */
  finish(entry: HeldExchange, state: 'joined' | 'emitted'): void {
    entry.state = state;
    this.#done.push(entry);
    if (this.#done.length - this.#doneHead > MAX_DONE) this.#forget(this.#done[this.#doneHead++]!);
  }

  /** Forgets what has left and ended before `before`. */
  expire(before: MonoNs): void {
    while (this.#doneHead < this.#done.length) {
      const entry = this.#done[this.#doneHead]!;
      if (entry.exchange.responseEnd >= before) break;
      this.#doneHead++;
      this.#forget(entry);
    }
    if (this.#doneHead > 1024 && this.#doneHead * 2 > this.#done.length) {
      this.#done = this.#done.slice(this.#doneHead);
      this.#doneHead = 0;
    }
  }

  #forget(entry: HeldExchange): void {
    const { exchange } = entry;
    const { context } = exchange;
    entry.forgotten = true;
    if (context !== undefined) {
      remove(this.#byContext, contextKey(exchange.role, context.traceId, context.spanId), entry);
      if (exchange.role === 'server') remove(this.#serversByTrace, context.traceId, entry);
    }
    const process = this.#byProcess.get(exchange.tgid);
    if (process === undefined) return;
    if (isLong(exchange)) process.long = process.long.filter((other) => other !== entry);
    else if (++process.forgotten * 2 >= process.entries.length) {
      process.entries = process.entries.filter((other) => !other.forgotten);
      process.forgotten = 0;
    }
    if (process.entries.length + process.long.length === 0) this.#byProcess.delete(exchange.tgid);
  }
}

const isLong = (exchange: Exchange): boolean => exchange.responseEnd - exchange.requestStart > LONG_NS;

const overlaps = (exchange: Exchange, from: MonoNs, to: MonoNs): boolean =>
  exchange.requestStart <= to && exchange.responseEnd >= from;

const contextKey = (role: Exchange['role'], traceId: string, spanId: string): string =>
  `${role === 'server' ? 's' : 'c'}${traceId}${spanId}`;

/** Exchanges finish nearly in the order of their end, so the place is found from behind. */
function insert(entries: HeldExchange[], entry: HeldExchange): void {
  let at = entries.length;
  while (at > 0 && entries[at - 1]!.exchange.responseEnd > entry.exchange.responseEnd) at--;
  entries.splice(at, 0, entry);
}

function append(map: Map<string, HeldExchange[]>, key: string, entry: HeldExchange): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function remove(map: Map<string, HeldExchange[]>, key: string, entry: HeldExchange): void {
  const entries = map.get(key);
  if (entries === undefined) return;
  const rest = entries.filter((other) => other !== entry);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
