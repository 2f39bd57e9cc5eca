/** A span of an SDK as the join needs it: read once from the batch, attributes only when they are asked for. */
import type { Time64 } from '../otlp/time.js';
import type { SpanView } from '../otlp/trace-view.js';
import type { MonoClock } from './join-types.js';
import type { MonoNs } from './types.js';

export interface JoinSpan {
  readonly view: SpanView;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root span. */
  readonly parentSpanId: string;
  readonly kind: number;
  readonly startTime: Time64;
  readonly start: MonoNs;
  readonly end: MonoNs;
  readonly durationNs: number;
  /** The clock counts milliseconds only, as that of JavaScript SDKs: times are early by up to one. */
  readonly isCoarse: boolean;
  /** How far start and end may be off the true moment. */
  readonly clockErrorNs: number;
}

const NS_PER_MS = 1_000_000;
const COARSE_CLOCK_NS = 1_500_000;
const FINE_CLOCK_NS = 200_000;

/** `view` is kept. Undefined for spans without ids, without duration or of more than the clock can hold. */
export function toJoinSpan(view: SpanView, clock: MonoClock): JoinSpan | undefined {
  const { traceId, spanId, durationNs, startTime } = view;
  if (traceId === '' || spanId === '' || !(durationNs > 0) || !Number.isSafeInteger(durationNs))
    return undefined;
  const start = clock.toMono(startTime.hi, startTime.lo);
  const isCoarse = isWholeMs(startTime);
  return {
    view,
    traceId,
    spanId,
    parentSpanId: view.parentSpanId,
    kind: view.kind,
    startTime,
    start,
    end: start + durationNs,
    durationNs,
    isCoarse,
    clockErrorNs: isCoarse ? COARSE_CLOCK_NS : FINE_CLOCK_NS,
  };
}

/** 2^32 mod 10^6 = 967296; both products stay below 2^53. */
const isWholeMs = (time: Time64): boolean =>
  ((time.hi % NS_PER_MS) * 967_296 + (time.lo % NS_PER_MS)) % NS_PER_MS === 0;

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function number(value: unknown): number | undefined {
  const parsed = typeof value === 'string' ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined;
}

/** Method, path, status and peer port by the stable and the older names of the HTTP semantic conventions. */
export const httpMethod = ({ view }: JoinSpan): string | undefined =>
  text(view.attribute('http.request.method') ?? view.attribute('http.method'));

export function httpPath({ view }: JoinSpan): string | undefined {
  const path = text(view.attribute('url.path') ?? view.attribute('http.target'));
  const query = path?.indexOf('?') ?? -1;
  return query < 0 ? path : path?.slice(0, query);
}

export const httpStatus = ({ view }: JoinSpan): number | undefined =>
  number(view.attribute('http.response.status_code') ?? view.attribute('http.status_code'));

/** The client's port, as a server span names it. */
export const clientPort = ({ view }: JoinSpan): number | undefined =>
  number(
    view.attribute('network.peer.port') ??
      view.attribute('net.sock.peer.port') ??
      view.attribute('net.peer.port') ??
      view.attribute('client.port'),
  );
