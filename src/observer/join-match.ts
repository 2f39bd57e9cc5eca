/**
 * Which exchange a span stands for.
 *
 * By trace context where it was on the wire: inbound, the header names the server span's parent (B3: or itself); outbound, it names the
 * client span itself. Without a context a server span is found by what both sides know: process, method, path, status,
 * times and the client's port. Nothing is taken when two exchanges fit equally well, and nothing from a process that
 * did not send the span, unless its resource names that process. A wrong join is worse than a missing one.
 */
import { SpanKind } from '../otlp/span-constants.js';
import type { HeldExchange, JoinExchanges } from './join-exchanges.js';
import type { Evidence } from './join-plan.js';
import { clientPort, httpMethod, httpPath, httpStatus, type JoinSpan } from './join-span.js';
import type { Exchange, ProcessTable } from './types.js';

export interface Match {
  readonly entry: HeldExchange;
  /** Further exchanges of the same span: redirects and retries of one call. */
  readonly others: readonly HeldExchange[];
  readonly evidence: Evidence;
}

export interface MatchContext {
  readonly exchanges: JoinExchanges;
  readonly processes: ProcessTable;
}

/** Longest time by which a span may begin before or after the bytes that it is about. */
const SLACK_NS = 5_000_000;

const BY_CONTEXT = 0.95;
const BY_OWN_ID = 0.97;
const BY_PEER_PORT = 0.95;
const BY_ENDPOINT = 0.8;
/** The context fits, but more than one exchange does: enough not to show the exchange twice, too little to explain. */
const AMBIGUOUS = 0.5;
/** The batch came through another local process, and the resource names the exchange's process. */
const THROUGH_FORWARDER = 0.95;

/** `sender` is the process that sent the batch, when it is a local one. */
export function findExchange(
  context: MatchContext,
  span: JoinSpan,
  sender: number | undefined,
): Match | undefined {
  if (span.kind === SpanKind.client || span.kind === SpanKind.producer) return ownCall(context, span, sender);
  if (span.kind !== SpanKind.server && span.kind !== SpanKind.consumer) return undefined;
  return byParent(context, span, sender) ?? byEndpoint(context, span, sender);
}

function ownCall(context: MatchContext, span: JoinSpan, sender: number | undefined): Match | undefined {
  const found = context.exchanges
    .byContext('client', span.traceId, span.spanId)
    .filter((entry) => isNear(span, entry.exchange));
  const [first, ...others] = ofSender(context, span, sender, found);
  if (first === undefined) return undefined;
  const { exchange } = first;
  if (others.some((other) => other.exchange.tgid !== exchange.tgid)) return undefined;
  return { entry: first, others, evidence: evidence('traceparent', BY_OWN_ID, exchange, sender) };
}

function byParent(context: MatchContext, span: JoinSpan, sender: number | undefined): Match | undefined {
  const found = inbound(context, span).filter((entry) => isNear(span, entry.exchange));
  const candidates = ofSender(context, span, sender, found);
  const free = candidates.filter((entry) => entry.state !== 'joined');
  const entry = nearest(span, free.length > 0 ? free : candidates);
  if (entry === undefined) return undefined;
  const rivals = candidates.filter(
    (other) => other !== entry && isRival(span, entry.exchange, other.exchange),
  );
  // Without a known sender one candidate of several processes may be another program's.
  if (sender === undefined && candidates.some((other) => other.exchange.tgid !== entry.exchange.tgid)) {
    return undefined;
  }
  const confidence = rivals.length > 0 ? AMBIGUOUS : BY_CONTEXT;
  return { entry, others: [], evidence: evidence('traceparent', confidence, entry.exchange, sender) };
}

/** What came with the context of the span's parent; with B3 a server may take over the id of the client's span as its own. */
function inbound(
  { exchanges }: MatchContext,
  { traceId, spanId, parentSpanId }: JoinSpan,
): readonly HeldExchange[] {
  const ofParent = parentSpanId === '' ? [] : exchanges.byContext('server', traceId, parentSpanId);
  if (ofParent.length > 0) return ofParent;
  return exchanges
    .byContext('server', traceId, spanId)
    .filter(({ exchange }) => /^(?:b3|x-b3-traceid)$/.test(exchange.context?.carrier ?? ''));
}

function byEndpoint(context: MatchContext, span: JoinSpan, sender: number | undefined): Match | undefined {
  if (sender === undefined) return undefined;
  const method = httpMethod(span);
  const path = httpPath(span);
  if (method === undefined || path === undefined) return undefined;
  const status = httpStatus(span);
  const port = clientPort(span);
  const early = span.clockErrorNs;
  let only: HeldExchange | undefined;
  let count = 0;
  for (const entry of context.exchanges.ofProcess(sender, span.start - SLACK_NS, span.end + SLACK_NS)) {
    const { exchange } = entry;
    const { http } = exchange;
    if (exchange.role !== 'server' || entry.state === 'joined') continue;
    // A context on the wire that the span does not have says that it is another request's span.
    if (exchange.context !== undefined && exchange.context.traceId !== span.traceId) continue;
    if (exchange.context !== undefined && span.parentSpanId !== '') continue;
    if (http.method !== method || http.path !== path) continue;
    if (status !== undefined && http.statusCode !== 0 && http.statusCode !== status) continue;
    if (port !== undefined && exchange.tuple.remotePort !== port) continue;
    if (span.start < exchange.requestStart - early || span.start > exchange.responseEnd + early) continue;
    if (port === undefined) {
      if (span.start > exchange.requestStart + SLACK_NS) continue;
      if (Math.abs(span.end - exchange.responseEnd) > SLACK_NS) continue;
    }
    only = entry;
    count++;
  }
  if (only === undefined || count > 1) return undefined;
  return {
    entry: only,
    others: [],
    evidence:
      port === undefined
        ? evidence('endpoint', BY_ENDPOINT, only.exchange, sender)
        : evidence('peer_port', BY_PEER_PORT, only.exchange, sender),
  };
}

function evidence(
  words: string,
  confidence: number,
  exchange: Exchange,
  sender: number | undefined,
): Evidence {
  return exchange.tgid === sender
    ? { words, confidence }
    : { words: `${words},resource`, confidence: confidence * THROUGH_FORWARDER };
}

function isNear(span: JoinSpan, exchange: Exchange): boolean {
  return span.start <= exchange.responseEnd + SLACK_NS && span.end >= exchange.requestStart - SLACK_NS;
}

/** Exchanges of the sending process; failing that, of a process that the span's resource names. */
function ofSender(
  context: MatchContext,
  span: JoinSpan,
  sender: number | undefined,
  candidates: readonly HeldExchange[],
): readonly HeldExchange[] {
  const own = candidates.filter((entry) => entry.exchange.tgid === sender);
  if (own.length > 0) return own;
  // The sender made the span itself: another process of the same service is not meant.
  if (sender !== undefined && isNamedBy(context, span, sender)) return [];
  const named = candidates.filter((entry) => isNamedBy(context, span, entry.exchange.tgid));
  return new Set(named.map((entry) => entry.exchange.tgid)).size > 1 ? [] : named;
}

function isNamedBy(context: MatchContext, span: JoinSpan, tgid: number): boolean {
  const process = context.processes.get(tgid);
  if (process === undefined) return false;
  const { resource } = span.view;
  const pid = resource.attribute('process.pid');
  if (pid !== undefined) return Number(pid) === process.namespacePid;
  return resource.attribute('service.name') === process.serviceName;
}

const distance = (span: JoinSpan, exchange: Exchange): number => Math.abs(span.start - exchange.requestStart);

function nearest(span: JoinSpan, entries: readonly HeldExchange[]): HeldExchange | undefined {
  const fitting = entries.filter((entry) => fitsEndpoint(span, entry.exchange));
  let best: HeldExchange | undefined;
  for (const entry of fitting.length > 0 ? fitting : entries) {
    if (best === undefined || distance(span, entry.exchange) < distance(span, best.exchange)) best = entry;
  }
  return best;
}

/** Whether `other` would explain the span about as well as `best`. */
function isRival(span: JoinSpan, best: Exchange, other: Exchange): boolean {
  if (fitsEndpoint(span, best) && !fitsEndpoint(span, other)) return false;
  const port = clientPort(span);
  if (port !== undefined && best.tuple.remotePort === port && other.tuple.remotePort !== port) return false;
  return distance(span, other) - distance(span, best) <= 2 * span.clockErrorNs;
}

function fitsEndpoint(span: JoinSpan, exchange: Exchange): boolean {
  const method = httpMethod(span);
  const path = httpPath(span);
  const port = clientPort(span);
  return (
    (method === undefined || method === exchange.http.method) &&
    (path === undefined || path === exchange.http.path) &&
    (port === undefined || span.kind === SpanKind.client || port === exchange.tuple.remotePort)
  );
}
