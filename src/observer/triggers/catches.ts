/** Spans that somebody waits for right now: "the next five of GET /x". */
import type { MonoNs } from '../types.js';
import { type NamePattern, namePattern } from './name-pattern.js';
import type { TriggerSpan } from './trigger-span.js';
import { type CatchAnswer, type CatchRequest, MAX_CATCHES } from './trigger-types.js';

const NS_PER_MS = 1e6;

interface Catch {
  readonly request: CatchRequest;
  readonly fits: NamePattern | undefined;
  left: number;
  /** Undefined until the clock is known. */
  until: MonoNs | undefined;
}

export class Catches {
  #waiting: Catch[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** `now` is 0 while no time is known. */
  add(request: CatchRequest, now: MonoNs): CatchAnswer {
    this.#expire(now);
    const { name, traceId, count } = request;
    let refused: string | undefined;
    if (name === undefined && traceId === undefined) refused = 'A name or a trace id is needed.';
    else if (this.#waiting.length >= MAX_CATCHES) {
      refused = `${MAX_CATCHES} requests wait already; they end with their spans or in time.`;
    } else {
      const fits = name === undefined ? undefined : namePattern([name]);
      this.#waiting.push({ request, fits, left: count, until: undefined });
      this.#expire(now);
    }
    const waiting = this.#waiting.map(({ request: { name, traceId }, left }) => ({ name, traceId, left }));
    return refused === undefined ? { waiting } : { refused, waiting };
  }

  /** True when somebody waits for this span; it counts for the one who has waited longest. */
  take(span: TriggerSpan, now: MonoNs): boolean {
    if (this.#waiting.length === 0) return false;
    this.#expire(now);
    const index = this.#waiting.findIndex(
      ({ request: { traceId }, fits }) =>
        (traceId === undefined || traceId === span.traceId) && (fits === undefined || fits(span)),
    );
    const found = this.#waiting[index];
    if (found === undefined) return false;
    if (--found.left <= 0) this.#waiting.splice(index, 1);
    return true;
  }

  #expire(now: MonoNs): void {
    if (now === 0) return;
    for (const one of this.#waiting) one.until ??= now + one.request.forMs * NS_PER_MS;
    this.#waiting = this.#waiting.filter(({ until }) => until !== undefined && now < until);
  }
}
