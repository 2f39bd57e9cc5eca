/** Counts requests per service and endpoint over a sliding window, in bounded memory. */
import { TIME_CLASSES, type TimeClass } from '../../observer/types.js';
import { DurationHistogram } from './duration-histogram.js';

/** One finished request. */
export interface RequestRecord {
  readonly service: string;
  readonly endpoint: string;
  readonly durationNs: number;
  readonly failed: boolean;
  /** Nanoseconds by position in `TIME_CLASSES`; undefined when the span was not joined. Read during the call only. */
  readonly classNs: ArrayLike<number> | undefined;
}

export interface EndpointRow {
  readonly service: string;
  readonly endpoint: string;
  readonly count: number;
  readonly errors: number;
  readonly perSecond: number;
  readonly totalNs: number;
  readonly p50Ns: number;
  readonly p95Ns: number;
  readonly p99Ns: number;
  /** Shares of the joined requests' time, largest first, without zeros; empty when none was joined. */
  readonly shares: readonly { readonly timeClass: TimeClass; readonly share: number }[];
}

export interface TableOptions {
  readonly maxEndpoints: number;
  readonly windowMs: number;
}

/** The row for everything beyond `maxEndpoints`. */
export const OVERFLOW_ENDPOINT = '(other endpoints)';
const SLOTS = 6;

interface Slot {
  readonly histogram: DurationHistogram;
  readonly classNs: Float64Array;
  count: number;
  errors: number;
  totalNs: number;
  joinedNs: number;
}

interface Endpoint {
  readonly service: string;
  readonly endpoint: string;
  readonly slots: readonly Slot[];
}

export class EndpointTable {
  readonly #options: TableOptions;
  readonly #endpoints = new Map<string, Endpoint>();
  /** The open slot is number `#turn % SLOTS` and began at `#turnMs`. */
  #turn = 0;
  #turnMs: number;
  readonly #startMs: number;

  constructor(options: TableOptions, nowMs: number) {
    this.#options = options;
    this.#turnMs = nowMs;
    this.#startMs = nowMs;
  }

  record(request: RequestRecord, nowMs: number): void {
    this.#advance(nowMs);
    const slot = this.#endpoint(request).slots[this.#turn % SLOTS]!;
    slot.histogram.record(request.durationNs);
    slot.count += 1;
    slot.errors += request.failed ? 1 : 0;
    slot.totalNs += request.durationNs;
    const { classNs } = request;
    if (classNs === undefined) return;
    for (let i = 0; i < slot.classNs.length; i += 1) {
      slot.classNs[i] = (slot.classNs[i] ?? 0) + (classNs[i] ?? 0);
      slot.joinedNs += classNs[i] ?? 0;
    }
  }

  /** Endpoints with requests in the window, the one that took most time first. */
  rows(nowMs: number): EndpointRow[] {
    this.#advance(nowMs);
    const slotMs = this.#options.windowMs / SLOTS;
    const coveredMs = Math.min(nowMs - this.#startMs, (SLOTS - 1) * slotMs + (nowMs - this.#turnMs));
    const rows: EndpointRow[] = [];
    for (const [key, endpoint] of this.#endpoints) {
      const row = toRow(endpoint, Math.max(1000, coveredMs));
      if (row.count > 0) rows.push(row);
      else this.#endpoints.delete(key);
    }
    return rows.sort((a, b) => b.totalNs - a.totalNs);
  }

  #endpoint(request: RequestRecord): Endpoint {
    const key = `${request.service}\n${request.endpoint}`;
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    const full = this.#endpoints.size >= this.#options.maxEndpoints;
    if (full) {
      const overflow = this.#endpoints.get(OVERFLOW_ENDPOINT);
      if (overflow !== undefined) return overflow;
    }
    const endpoint: Endpoint = {
      service: full ? '' : request.service,
      endpoint: full ? OVERFLOW_ENDPOINT : request.endpoint,
      slots: Array.from({ length: SLOTS }, createSlot),
    };
    this.#endpoints.set(full ? OVERFLOW_ENDPOINT : key, endpoint);
    return endpoint;
  }

  #advance(nowMs: number): void {
    const slotMs = this.#options.windowMs / SLOTS;
    // A clock that went back opens no slot; a long silence empties each slot once.
    let steps = Math.max(0, Math.floor((nowMs - this.#turnMs) / slotMs));
    if (steps === 0) return;
    this.#turnMs += steps * slotMs;
    for (steps = Math.min(steps, SLOTS); steps > 0; steps -= 1) {
      this.#turn += 1;
      for (const endpoint of this.#endpoints.values()) clearSlot(endpoint.slots[this.#turn % SLOTS]!);
    }
  }
}

const createSlot = (): Slot => ({
  histogram: new DurationHistogram(),
  classNs: new Float64Array(TIME_CLASSES.length),
  count: 0,
  errors: 0,
  totalNs: 0,
  joinedNs: 0,
});

const clearSlot = (slot: Slot): void => {
  slot.histogram.clear();
  slot.classNs.fill(0);
  slot.count = slot.errors = slot.totalNs = slot.joinedNs = 0;
};

const toRow = ({ service, endpoint, slots }: Endpoint, coveredMs: number): EndpointRow => {
  const sum = createSlot();
  for (const slot of slots) {
    if (slot.count === 0) continue;
    slot.histogram.addTo(sum.histogram);
    sum.count += slot.count;
    sum.errors += slot.errors;
    sum.totalNs += slot.totalNs;
    sum.joinedNs += slot.joinedNs;
    for (let i = 0; i < sum.classNs.length; i += 1)
      sum.classNs[i] = (sum.classNs[i] ?? 0) + (slot.classNs[i] ?? 0);
  }
  return {
    service,
    endpoint,
    count: sum.count,
    errors: sum.errors,
    perSecond: (sum.count * 1000) / coveredMs,
    totalNs: sum.totalNs,
    p50Ns: sum.histogram.percentile(0.5),
    p95Ns: sum.histogram.percentile(0.95),
    p99Ns: sum.histogram.percentile(0.99),
    shares: TIME_CLASSES.map((timeClass, i) => ({
      timeClass,
      share: sum.joinedNs > 0 ? (sum.classNs[i] ?? 0) / sum.joinedNs : 0,
    }))
      .filter(({ share }) => share > 0)
      .sort((a, b) => b.share - a.share),
  };
};
