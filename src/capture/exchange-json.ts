/** An exchange of a capture as one line of JSON, and as a row of a table. */
import { addNs, type Time64, timeToIso } from '../otlp/time.js';
import type { ConversationEnds } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { SpanFacts } from '../protocols/span-facts.js';
import type { SpanValue } from '../protocols/span-sink.js';

export interface ExchangeJson {
  readonly protocol: string;
  readonly transport: string;
  readonly start: string;
  readonly duration_ns: number;
  readonly client: string;
  readonly server: string;
  /** The span's name. */
  readonly name: string;
  readonly kind: string;
  readonly status: 'unset' | 'error';
  readonly error_type?: string;
  readonly status_message?: string;
  /** Why a part of it is missing. */
  readonly incomplete?: string;
  /** A long poll or a stream: the duration is no latency. */
  readonly waiting?: true;
  readonly request_bytes: number;
  readonly response_bytes: number;
  readonly trace_id?: string;
  /** The span id on the wire: the parent of a server span, the client span itself. */
  readonly wire_span_id?: string;
  readonly attributes: Readonly<Record<string, SpanValue>>;
}

/** ns from its first to its last byte. */
export function durationNs(exchange: WireExchange): number {
  const end = Math.max(exchange.requestEnd, exchange.responseEnd);
  return Math.max(0, Math.round(end - exchange.requestStart));
}

/** `ends`: `local` is the client. `epoch`: the time that exchanges count from. */
export function toExchangeJson(
  exchange: WireExchange,
  facts: SpanFacts,
  ends: ConversationEnds,
  epoch: Time64,
): ExchangeJson {
  const { errorType, statusMessage } = facts;
  return {
    protocol: facts.protocol,
    transport: ends.transport,
    start: timeToIso(addNs(epoch, Math.round(exchange.requestStart))),
    duration_ns: durationNs(exchange),
    client: endText(ends.localAddress, ends.localPort),
    server: endText(ends.remoteAddress, ends.remotePort),
    name: facts.name,
    kind: facts.kind,
    status: errorType === undefined ? 'unset' : 'error',
    ...(errorType === undefined ? {} : { error_type: errorType }),
    ...(statusMessage === undefined ? {} : { status_message: statusMessage }),
    ...(exchange.incomplete === undefined ? {} : { incomplete: exchange.incomplete }),
    ...(exchange.waiting ? { waiting: true } : {}),
    request_bytes: exchange.requestBytes,
    response_bytes: exchange.responseBytes,
    ...(exchange.context === undefined
      ? {}
      : { trace_id: exchange.context.traceId, wire_span_id: exchange.context.spanId }),
    attributes: Object.fromEntries(facts.attributes),
  };
}

export const endText = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

export const TABLE_HEAD = [
  'START',
  'PROTOCOL',
  'DURATION',
  'CLIENT',
  'SERVER',
  'OPERATION',
  'STATUS',
] as const;

/** Cells in the order of `TABLE_HEAD`. */
export function tableRow(exchange: ExchangeJson): string[] {
  const code =
    exchange.attributes['http.response.status_code'] ??
    exchange.attributes['rpc.response.status_code'] ??
    exchange.attributes['db.response.status_code'];
  const status = exchange.error_type === undefined ? String(code ?? 'ok') : `error ${exchange.error_type}`;
  return [
    exchange.start.slice(11, 26),
    exchange.protocol,
    `${(exchange.duration_ns / 1e6).toFixed(3)}ms`,
    exchange.client,
    exchange.server,
    exchange.name,
    exchange.incomplete === undefined || status.includes(exchange.incomplete)
      ? status
      : `${status} (${exchange.incomplete})`,
  ];
}
