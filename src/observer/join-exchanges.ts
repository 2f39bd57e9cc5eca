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

/**
 * Exchanges of a process are kept by how long they took, so that a look at some milliseconds passes only those that
 * ended within the limit of their tier after it. With one tier of 250 ms, two thirds of the join's time went into
 * passing exchanges of a server with 5,000 requests/s.
 */
const TIER_LIMITS_NS = [1e6, 8e6, 64e6, 512e6, Number.POSITIVE_INFINITY] as const;
const MAX_DONE = 20_000;

interface Tier {
  readonly limitNs: number;
  /** In the order of their end. */
  entries: HeldExchange[];
  forgotten: number;
}

export class JoinExchanges {
  readonly #byContext = new Map<string, HeldExchange[]>();
  readonly #serversByTrace = new Map<string, HeldExchange[]>();
  readonly #byProcess = new Map<number, readonly Tier[]>();
  #done: HeldExchange[] = [];
  #doneHead = 0;

  add(exchange: Exchange, deadline: MonoNs): HeldExchange {
    const entry: HeldExchange = { exchange, state: 'held', deadline, forgotten: false };
    const { context } = exchange;
    if (context !== undefined) {
      append(this.#byContext, contextKey(exchange.role, context.traceId, context.spanId), entry);
      if (exchange.role === 'server') append(this.#serversByTrace, context.traceId, entry);
    }
    let tiers = this.#byProcess.get(exchange.tgid);
    if (tiers === undefined) {
      tiers = TIER_LIMITS_NS.map((limitNs) => ({ limitNs, entries: [], forgotten: 0 }));
      this.#byProcess.set(exchange.tgid, tiers);
    }
    insert(tierOf(tiers, exchange).entries, entry);
    return entry;
  }

  /** Whether any exchange came with a trace context. */
  get haveContexts(): boolean {
    return this.#byContext.size > 0;
  }

  byContext(role: Exchange['role'], traceId: string, spanId: string): readonly HeldExchange[] {
    return this.#byContext.get(contextKey(role, traceId, spanId)) ?? [];
  }

  serversOfTrace(traceId: string): readonly HeldExchange[] {
    return this.#serversByTrace.get(traceId) ?? [];
  }

  /** Exchanges of a process that overlap [from, to], in no special order. */
  *ofProcess(tgid: number, from: MonoNs, to: MonoNs): Generator<HeldExchange> {
    for (const { entries, limitNs } of this.#byProcess.get(tgid) ?? []) {
      for (let index = firstEndingAt(entries, from); index < entries.length; index++) {
        const entry = entries[index]!;
        const { exchange } = entry;
        if (exchange.responseEnd > to + limitNs) break;
        if (!entry.forgotten && overlaps(exchange, from, to)) yield entry;
      }
    }
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
    const tiers = this.#byProcess.get(exchange.tgid);
    if (tiers === undefined) return;
    const tier = tierOf(tiers, exchange);
    if (++tier.forgotten * 2 < tier.entries.length) return;
    tier.entries = tier.entries.filter((other) => !other.forgotten);
    tier.forgotten = 0;
    if (tiers.every(({ entries }) => entries.length === 0)) this.#byProcess.delete(exchange.tgid);
  }
}

function tierOf(tiers: readonly Tier[], exchange: Exchange): Tier {
  const durationNs = exchange.responseEnd - exchange.requestStart;
  return tiers.find(({ limitNs }) => durationNs <= limitNs)!;
}

/** Index of the first entry that ends at `from` or later. */
function firstEndingAt(entries: readonly HeldExchange[], from: MonoNs): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.exchange.responseEnd < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

const overlaps = (exchange: Exchange, from: MonoNs, to: MonoNs): boolean =>
  exchange.requestStart <= to && exchange.responseEnd >= from;

const contextKey = (role: Exchange['role'], traceId: string, spanId: string): string =>
  `${role === 'server' ? 's' : 'c'}${traceId}${spanId}`;

/** Exchanges finish nearly in the order of their end, so the place is found from behind. */
function insert(entries: HeldExchange[], entry: HeldExchange): void {
  let at = entries.length;
  while (at > 0 && entries[at - 1]!.exchange.responseEnd > entry.exchange.responseEnd) at--;
  if (at === entries.length) entries.push(entry);
  else entries.splice(at, 0, entry);
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
