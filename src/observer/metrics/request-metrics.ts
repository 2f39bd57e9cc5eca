/**
 * Counts and times every exchange, whether or not a span of it is ever sent.
 *
 * Operations on a hot path: HTTP/1.x finds its series by one text; other protocols are described as their spans are, and
 * the attributes that the conventions name are taken from that.
 */

import type { ExemplarSource } from '../../metrics/exemplar.js';
import type { HistogramSeries, NumberSeries } from '../../metrics/series.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import { splitAuthority } from '../../protocols/http/describe.js';
import type { ProtocolOptions } from '../../protocols/options.js';
import { SpanFacts } from '../../protocols/span-facts.js';
import type { MonoClock } from '../join-types.js';
import { errorType, isKnownMethod } from '../span-attributes.js';
import { SPAN_ID, TRACE_ID } from '../span-identity.js';
import type { Exchange, SocketTuple } from '../types.js';
import {
  CONSUMED_MESSAGES,
  DB_CLIENT_DURATION,
  DB_SERVER_DURATION,
  DNS_DURATION,
  DNS_SERVER_DURATION,
  type DocumentedMetric,
  HTTP_CLIENT_DURATION,
  HTTP_SERVER_DURATION,
  MESSAGING_CLIENT_DURATION,
  MESSAGING_PROCESS_DURATION,
  MESSAGING_SERVER_DURATION,
  OTHER_CLIENT_DURATION,
  OTHER_SERVER_DURATION,
  REQUEST_IO,
  RPC_CLIENT_DURATION,
  RPC_SERVER_DURATION,
  SENT_MESSAGES,
} from './request-definitions.js';
import type { ServiceGroup } from './service-groups.js';

const NS_PER_S = 1e9;
const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** What the last exchange of a connection was, and its series: the next one is nearly always like it. */
interface Last {
  readonly group: ServiceGroup;
  readonly role: Exchange['role'];
  readonly method: string;
  readonly statusCode: number;
  readonly error: string | undefined;
  readonly host: string | undefined;
  readonly version: string;
  readonly template: string | undefined;
  readonly tls: Exchange['tls'];
  readonly entry: Entry;
}

/** The series of one kind of exchange. */
interface Entry {
  readonly duration: HistogramSeries;
  readonly sent: NumberSeries;
  readonly received: NumberSeries;
}

export interface RequestMetricsOptions {
  readonly protocols: ProtocolOptions;
  /** Labels of `dns.question.name` to keep, counted from its end; 0: all. */
  readonly dnsLabels: number;
  /** Exemplars may point at spans that only this agent makes. */
  readonly spansAreSent: boolean;
}

export class RequestMetrics {
  /** Exchanges that say how long somebody waited for news, and are not counted as requests that took so long. */
  waiting = 0;
  readonly #options: RequestMetricsOptions;
  readonly #clock: MonoClock;
  readonly #facts = new SpanFacts();
  readonly #last = new WeakMap<SocketTuple, Last>();
  #current: Exchange | undefined;

  constructor(options: RequestMetricsOptions, clock: MonoClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** `group`: of the process that the exchange was seen in. */
  record(exchange: Exchange, group: ServiceGroup): void {
    if (exchange.wire?.exchange.waiting === true) {
      this.waiting++;
      return;
    }
    const { requestStart, requestEnd, responseEnd } = exchange;
    const { duration, sent, received } =
      exchange.wire === undefined ? this.#http1(exchange, group) : this.#wire(exchange, exchange.wire, group);
    this.#current = exchange;
    const end = responseEnd === 0 ? requestEnd : responseEnd;
    duration.record(Math.max(0, end - requestStart) / NS_PER_S, this.#source);
    const isServer = exchange.role === 'server';
    sent.add(isServer ? exchange.responseBytes : exchange.requestBytes);
    received.add(isServer ? exchange.requestBytes : exchange.responseBytes);
  }

  /** The trace of the exchange at hand: on the wire, or the one that this agent makes. */
  readonly #source = (): ExemplarSource | undefined => {
    const { context, identity, requestStart, role } = this.#current!;
    if (context?.sampled === false) return undefined;
    if (identity === undefined || (context === undefined && !this.#options.spansAreSent)) return undefined;
    return {
      time: this.#clock.toUnix(requestStart),
      traceId: context?.traceId ?? identity.subarray(TRACE_ID.start, TRACE_ID.end),
      // A client's context names its own span; a server's only the parent of it.
      spanId:
        context !== undefined && role === 'client'
          ? context.spanId
          : identity.subarray(SPAN_ID.start, SPAN_ID.end),
    };
  };

  #http1(exchange: Exchange, group: ServiceGroup): Entry {
    const { http, role, tls, tuple } = exchange;
    const error = errorType(exchange);
    const template = templateOf(exchange);
    const last = this.#last.get(tuple);
    if (
      last !== undefined &&
      last.group === group &&
      last.statusCode === http.statusCode &&
      last.method === http.method &&
      last.host === http.host &&
      last.role === role &&
      last.error === error &&
      last.version === http.version &&
      last.template === template &&
      last.tls === tls &&
      isAlive(last.entry)
    ) {
      return last.entry;
    }
    const entry = this.#http1Entry(exchange, group, error, template);
    if (isOverflow(entry)) return entry;
    const { method, statusCode, host, version } = http;
    this.#last.set(tuple, { group, role, method, statusCode, error, host, version, template, tls, entry });
    return entry;
  }

  #http1Entry(
    exchange: Exchange,
    group: ServiceGroup,
    error: string | undefined,
    template: string | undefined,
  ): Entry {
    const { http, role, tls, tuple } = exchange;
    const where = role === 'server' ? '' : (http.host ?? `${tuple.remoteAddress} ${tuple.remotePort}`);
    const key = `${role} ${http.method} ${http.statusCode} ${error} ${http.version} ${tls === undefined} ${where} ${template}`;
    const known = group.cached<Entry>(key);
    if (known !== undefined && isAlive(known)) return known;
    const scheme = tls === undefined ? 'http' : 'https';
    const named = splitAuthority(http.host, DEFAULT_PORT[scheme]);
    const server =
      role === 'server'
        ? undefined
        : {
            'server.address': named?.address ?? tuple.remoteAddress,
            'server.port': named?.port ?? (tuple.remotePort || undefined),
          };
    const duration = group.histogram(role === 'server' ? HTTP_SERVER_DURATION : HTTP_CLIENT_DURATION).of({
      'http.request.method': isKnownMethod(http.method) ? http.method : '_OTHER',
      ...(role === 'server' ? { 'url.scheme': scheme } : server),
      'http.response.status_code': http.statusCode === 0 ? undefined : http.statusCode,
      'error.type': error,
      'network.protocol.version': http.version,
      [role === 'server' ? 'http.route' : 'url.template']: template,
    });
    const entry = { duration, ...this.#io(group, 'http', role, server) };
    if (!isOverflow(entry)) group.cache(key, entry);
    return entry;
  }

  #wire(exchange: Exchange, wire: NonNullable<Exchange['wire']>, group: ServiceGroup): Entry {
    const { role } = exchange;
    const facts = this.#facts.describe(
      wire.protocol,
      wire.exchange,
      wire.ends,
      role,
      this.#options.protocols,
      exchange.urlTemplate,
    );
    const { attributes } = facts;
    const metric = durationOf(facts, wire.protocol.convention, role);
    const picked = this.#pick(metric, attributes);
    if (metric === MESSAGING_CLIENT_DURATION || metric === MESSAGING_PROCESS_DURATION) {
      this.#countMessages(facts, group);
    }
    const duration = group.histogram(metric).of(picked);
    const server = role === 'server' ? undefined : this.#pick(SERVER_ONLY, attributes);
    return { duration, ...this.#io(group, String(attributes.get('network.protocol.name')), role, server) };
  }

  #io(
    group: ServiceGroup,
    protocol: string,
    role: Exchange['role'],
    server: AttributesInput | undefined,
  ): { sent: NumberSeries; received: NumberSeries } {
    const table = group.numbers(REQUEST_IO);
    const common = { 'network.protocol.name': protocol, 'kindling.side': role, ...server };
    return {
      sent: table.of({ ...common, 'network.io.direction': 'transmit' }),
      received: table.of({ ...common, 'network.io.direction': 'receive' }),
    };
  }

  #countMessages({ kind, attributes }: SpanFacts, group: ServiceGroup): void {
    const isSent = kind === 'producer';
    const type = attributes.get('messaging.operation.type');
    if (!isSent && type !== 'receive' && type !== 'process') return;
    const metric = isSent ? SENT_MESSAGES : CONSUMED_MESSAGES;
    const count = attributes.get('messaging.batch.message_count');
    group
      .numbers(metric)
      .of(this.#pick(metric, attributes))
      .add(typeof count === 'number' ? count : 1);
  }

  #pick(metric: Pick<DocumentedMetric, 'attributes'>, from: SpanFacts['attributes']): AttributesInput {
    const picked: Record<string, AttributesInput[string]> = {};
    for (const name of metric.attributes) {
      const value = from.get(name);
      if (value === undefined) continue;
      const isDomain = name === 'dns.question.name' && typeof value === 'string';
      picked[name] = isDomain ? lastLabels(value, this.#options.dnsLabels) : value;
    }
    return picked;
  }
}

/** `url.template` of clients; `http.route` of servers, which is never learned. */
const templateOf = ({ role, urlTemplate }: Exchange): string | undefined =>
  role === 'client' || urlTemplate?.isRoute ? urlTemplate?.text : undefined;

/** None of its series has expired or was given up. */
const isAlive = ({ duration, sent, received }: Entry): boolean =>
  duration.alive && sent.alive && received.alive;

/** What overflows is looked up each time, so that it is counted. */
const isOverflow = ({ duration, sent, received }: Entry): boolean =>
  duration.isOverflow || sent.isOverflow || received.isOverflow;

const SERVER_ONLY = { attributes: ['server.address', 'server.port'] };

function durationOf(
  { kind, attributes }: SpanFacts,
  convention: NonNullable<Exchange['wire']>['protocol']['convention'],
  role: Exchange['role'],
): DocumentedMetric {
  const isServer = role === 'server';
  // What travels inside another protocol says so itself: gRPC in HTTP/2.
  if (attributes.has('rpc.system.name')) return isServer ? RPC_SERVER_DURATION : RPC_CLIENT_DURATION;
  if (attributes.has('db.system.name')) return isServer ? DB_SERVER_DURATION : DB_CLIENT_DURATION;
  if (attributes.has('messaging.system')) {
    if (isServer) return MESSAGING_SERVER_DURATION;
    return kind === 'consumer' ? MESSAGING_PROCESS_DURATION : MESSAGING_CLIENT_DURATION;
  }
  if (attributes.has('http.request.method')) return isServer ? HTTP_SERVER_DURATION : HTTP_CLIENT_DURATION;
  if (convention === 'dns') return isServer ? DNS_SERVER_DURATION : DNS_DURATION;
  return isServer ? OTHER_SERVER_DURATION : OTHER_CLIENT_DURATION;
}

/** `a.b.example.org`, 2: `example.org`. */
export function lastLabels(name: string, count: number): string {
  if (count === 0) return name;
  const trimmed = name.endsWith('.') && name.length > 1 ? name.slice(0, -1) : name;
  return trimmed.split('.').slice(-count).join('.');
}
