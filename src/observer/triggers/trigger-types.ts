/** Which spans are told in detail, and why. Everything here is plain data: it crosses threads and the control socket. */

/** Why a span has its events and stacks. `all`: no choice is made. */
export const TRIGGERS = ['all', 'trace_id', 'catch', 'name', 'error', 'slow', 'baseline'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** Settings of the choice. Without them every span is told in detail. */
export interface TriggerConfig {
  /** Slower than this, ns; 0: no fixed limit. */
  readonly slowNs: number;
  /** Slower than 95 % of the recent spans of its endpoint. */
  readonly aboveP95: boolean;
  /** Spans of an endpoint before its 95th percentile is believed. */
  readonly minSamples: number;
  readonly errors: boolean;
  /** Span names or `METHOD /path`; a `*` stands for any characters. */
  readonly names: readonly string[];
  /** 32 lower case hex digits each. */
  readonly traceIds: readonly string[];
  /** Spans of each endpoint that no other trigger wants, per minute; 0: none. */
  readonly baselinePerMinute: number;
  /** Detailed spans per second of all triggers but `catch`. */
  readonly maxPerSecond: number;
  /** Endpoints that are learned; the one not used for longest is forgotten. */
  readonly maxEndpoints: number;
}

/** The most that can be waited for at a time, and the most spans of one request. */
export const MAX_CATCHES = 64;
export const MAX_CATCH_COUNT = 10_000;

/** "Tell the next `count` spans in detail." At least one of `name` and `traceId` is given; all that are must fit. */
export interface CatchRequest {
  /** As in `TriggerConfig.names`. */
  readonly name?: string | undefined;
  /** 32 lower case hex digits. */
  readonly traceId?: string | undefined;
  readonly count: number;
  /** Given up after this time, ms. */
  readonly forMs: number;
}

export interface CatchAnswer {
  /** Why nothing is caught; undefined when it is. */
  readonly refused?: string | undefined;
  /** Everything that is waited for now, oldest first. */
  readonly waiting: readonly {
    readonly name?: string | undefined;
    readonly traceId?: string | undefined;
    /** Spans still to come. */
    readonly left: number;
  }[];
}
