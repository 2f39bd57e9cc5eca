/**
 * Chooses the spans that are told in detail. What was asked for comes first, so that a span says the most telling reason
 * of several; a bucket bounds all of them but `catch`, which is bounded by its count.
 */
import type { MonoNs } from '../types.js';
import { Catches } from './catches.js';
import { EndpointTable } from './endpoint-table.js';
import { namePattern } from './name-pattern.js';
import { TokenBucket } from './token-bucket.js';
import type { TriggerSpan } from './trigger-span.js';
import {
  type CatchAnswer,
  type CatchRequest,
  TRIGGERS,
  type Trigger,
  type TriggerConfig,
} from './trigger-types.js';

const zeros = (): Record<Trigger, number> =>
  Object.fromEntries(TRIGGERS.map((trigger) => [trigger, 0])) as Record<Trigger, number>;

/** The rules that have a configuration. */
class Choice {
  readonly catches = new Catches();
  readonly endpoints: EndpointTable;
  readonly refused = zeros();
  readonly #config: TriggerConfig;
  readonly #traceIds: ReadonlySet<string>;
  readonly #hasName: ReturnType<typeof namePattern>;
  readonly #bucket: TokenBucket;

  constructor(config: TriggerConfig) {
    this.#config = config;
    this.endpoints = new EndpointTable(config);
    this.#traceIds = new Set(config.traceIds);
    this.#hasName = namePattern(config.names);
    this.#bucket = new TokenBucket(config.maxPerSecond);
  }

  choose(span: TriggerSpan, now: MonoNs): Trigger | undefined {
    const trigger = this.#triggerOf(span, now);
    if (trigger === undefined || trigger === 'catch' || this.#bucket.take(now)) return trigger;
    this.refused[trigger]++;
    return undefined;
  }

  #triggerOf(span: TriggerSpan, now: MonoNs): Trigger | undefined {
    const { errors, slowNs, aboveP95, baselinePerMinute } = this.#config;
    const endpoint =
      aboveP95 || baselinePerMinute > 0
        ? this.endpoints.of(span.service, span.kind, span.endpoint)
        : undefined;
    const p95 = aboveP95 ? endpoint?.latency.p95 : undefined;
    // Errors are often quick, or as slow as a time limit: neither is how long the endpoint takes.
    if (aboveP95 && !span.isError) endpoint?.latency.add(span.durationNs);
    if (this.#traceIds.has(span.traceId)) return 'trace_id';
    if (this.catches.take(span, now)) return 'catch';
    if (this.#hasName(span)) return 'name';
    if (errors && span.isError) return 'error';
    if (slowNs > 0 && span.durationNs > slowNs) return 'slow';
    if (p95 !== undefined && span.durationNs > p95) return 'slow';
    return !span.isError && endpoint?.baseline.take(now) ? 'baseline' : undefined;
  }
}

export class DetailTriggers {
  readonly #choice: Choice | undefined;
  readonly #taken = zeros();
  readonly #bytes = zeros();

  /** Without a configuration every span is told in detail. */
  constructor(config: TriggerConfig | undefined) {
    this.#choice = config === undefined ? undefined : new Choice(config);
  }

  /** Why a span is told in detail; undefined when it is not. `describe` is called only when it matters. */
  choose(describe: () => TriggerSpan, now: MonoNs): Trigger | undefined {
    return this.#choice === undefined ? 'all' : this.#choice.choose(describe(), now);
  }

  /** A span got its detail, `bytes` of it. */
  wrote(trigger: Trigger, bytes: number): void {
    this.#taken[trigger]++;
    this.#bytes[trigger] += bytes;
  }

  catch(request: CatchRequest, now: MonoNs): CatchAnswer {
    if (this.#choice !== undefined) return this.#choice.catches.add(request, now);
    return { refused: 'Every span has its details already (triggers.mode is all).', waiting: [] };
  }

  /** `details_taken_<trigger>`, `details_refused_<trigger>`, `details_size_<trigger>`: spans, spans and bytes. */
  stats(): Record<string, number> {
    const stats: Record<string, number> = {};
    for (const trigger of TRIGGERS) {
      stats[`details_taken_${trigger}`] = this.#taken[trigger];
      stats[`details_size_${trigger}`] = this.#bytes[trigger];
      if (this.#choice !== undefined) stats[`details_refused_${trigger}`] = this.#choice.refused[trigger];
    }
    if (this.#choice !== undefined) {
      stats.trigger_endpoints_held = this.#choice.endpoints.size;
      stats.trigger_endpoints_evicted = this.#choice.endpoints.evicted;
      stats.trigger_catches_held = this.#choice.catches.size;
    }
    return stats;
  }
}
