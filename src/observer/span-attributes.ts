/**
 * Attributes of the spans that are built from exchanges: OpenTelemetry semantic conventions 1.44, HTTP spans
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/, stable). Names are low-cardinality: a span is named
 * by its method, and by the template of its path where there is one (src/protocols/http/url-templates.ts).
 *
 * Most attributes are the same for every request of a connection, so they are encoded once for each and kept.
 */
import { writeAttribute } from '../otlp/attribute-writer.js';
import { field } from '../otlp/wire-reader.js';
import { WireWriter } from '../otlp/wire-writer.js';
import { connectionErrorType } from '../protocols/connection-error.js';
import { withTemplate } from '../protocols/http/url-template.js';
import {
  ATTR_INCOMPLETE,
  ATTR_SOURCE,
  ATTR_TLS_CONFIDENCE,
  ATTR_TLS_EVIDENCE,
  ATTR_TLS_LIBRARY,
} from '../semconv.js';
import type { TlsView } from './tls/tls-join.js';
import type { Exchange, SocketTuple } from './types.js';

export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';

/** What is written of a query string. `redacted`: names, with every value replaced. */
export type QueryPolicy = 'redacted' | 'full' | 'off';

/** Field 9 of `Span` (opentelemetry-proto v1.11, trace/v1/trace.proto). */
const ATTRIBUTE = field.delimited(9);

const METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
  'QUERY',
]);

export const isKnownMethod = (method: string): boolean => METHODS.has(method);

export const spanName = ({ http, urlTemplate }: Exchange): string =>
  withTemplate(METHODS.has(http.method) ? http.method : 'HTTP', urlTemplate);

/** Value of `error.type`, undefined for a success; a span that has one has the status ERROR. */
export function errorType(exchange: Exchange): string | undefined {
  const { statusCode } = exchange.http;
  const ended = connectionErrorType(exchange.error ?? 0);
  if (ended !== undefined) return ended;
  if (exchange.incomplete === 'reset' || exchange.incomplete === 'no_response') return exchange.incomplete;
  return statusCode >= (exchange.role === 'client' ? 400 : 500) ? String(statusCode) : undefined;
}

/** What a connection's spans have in common, and what it was made from. */
interface Shared {
  readonly role: Exchange['role'];
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  readonly version: string;
  readonly tls: TlsView | undefined;
  readonly bytes: Uint8Array;
  /** Clients: what comes before the path in `url.full`. */
  readonly origin: string;
}

/** Texts and numbers with few values, encoded once for each. Bounded: they come from the wire. */
const MAX_ENCODED = 256;
const LONGEST_KEPT = 256;

/** Encodes attributes as fields of a `Span`. */
export class SpanAttributeEncoder {
  readonly #queryPolicy: QueryPolicy;
  readonly #shared = new WeakMap<SocketTuple, Shared>();
  readonly #methods = new Map<string, Uint8Array>();
  readonly #statuses = new Map<number, Uint8Array>();
  readonly #queries = new Map<string, string>();

  constructor(queryPolicy: QueryPolicy) {
    this.#queryPolicy = queryPolicy;
  }

  /** Writes the attributes of `exchange` into the current message. */
  write(writer: WireWriter, exchange: Exchange): void {
    const { http, urlTemplate } = exchange;
    const shared = this.#sharedOf(exchange);
    writer.raw(shared.bytes);
    writer.raw(this.#methodOf(http.method));
    const path = http.method === 'CONNECT' ? '' : originPath(http.path);
    const query = http.query === undefined ? undefined : this.#queryOf(http.query);
    if (exchange.role === 'client') {
      put(writer, 'url.full', `${shared.origin}${path}${query === undefined ? '' : `?${query}`}`);
      if (urlTemplate !== undefined) put(writer, 'url.template', urlTemplate.text);
    } else {
      if (path !== '') put(writer, 'url.path', path);
      if (query !== undefined) put(writer, 'url.query', query);
      if (urlTemplate?.isRoute) put(writer, 'http.route', urlTemplate.text);
    }
    if (http.statusCode !== 0) writer.raw(this.#statusOf(http.statusCode));
    const error = errorType(exchange);
    if (error !== undefined) put(writer, 'error.type', error);
    if (exchange.incomplete !== undefined) put(writer, ATTR_INCOMPLETE, exchange.incomplete);
  }

  #methodOf(method: string): Uint8Array {
    const known = this.#methods.get(method);
    if (known !== undefined) return known;
    const writer = new WireWriter(128);
    if (METHODS.has(method)) put(writer, 'http.request.method', method);
    else {
      put(writer, 'http.request.method', '_OTHER');
      put(writer, 'http.request.method_original', method);
    }
    const bytes = writer.finish();
    if (this.#methods.size < MAX_ENCODED) this.#methods.set(method, bytes);
    return bytes;
  }

  #statusOf(status: number): Uint8Array {
    const known = this.#statuses.get(status);
    if (known !== undefined) return known;
    const writer = new WireWriter(64);
    put(writer, 'http.response.status_code', status);
    const bytes = writer.finish();
    if (this.#statuses.size < MAX_ENCODED) this.#statuses.set(status, bytes);
    return bytes;
  }

  #queryOf(query: string): string | undefined {
    if (this.#queryPolicy !== 'redacted') return this.#queryPolicy === 'full' ? query : undefined;
    const known = this.#queries.get(query);
    if (known !== undefined) return known;
    const redacted = query.replace(/=[^&;]*/g, '=REDACTED');
    if (query.length <= LONGEST_KEPT) {
      if (this.#queries.size >= MAX_ENCODED) this.#queries.clear();
      this.#queries.set(query, redacted);
    }
    return redacted;
  }

  #sharedOf({ tuple, role, http, tls }: Exchange): Shared {
    const known = this.#shared.get(tuple);
    if (
      known !== undefined &&
      known.role === role &&
      known.host === http.host &&
      known.userAgent === http.userAgent &&
      known.version === http.version &&
      known.tls === tls
    ) {
      return known;
    }
    const isClient = role === 'client';
    const scheme = tls === undefined ? 'http' : 'https';
    const named = splitHost(http.host, DEFAULT_PORT[scheme]);
    const address = named?.address ?? (isClient ? tuple.remoteAddress : tuple.localAddress);
    const port = named?.port ?? (isClient ? tuple.remotePort : tuple.localPort);
    const writer = new WireWriter(512);
    put(writer, ATTR_SOURCE, 'kernel');
    put(writer, 'server.address', address);
    put(writer, 'server.port', port);
    put(writer, 'network.peer.address', tuple.remoteAddress);
    put(writer, 'network.peer.port', tuple.remotePort);
    put(writer, 'network.protocol.version', http.version);
    if (tls !== undefined) putTls(writer, tls);
    if (http.userAgent !== undefined) put(writer, 'user_agent.original', http.userAgent);
    if (!isClient) {
      put(writer, 'url.scheme', scheme);
      put(writer, 'client.address', tuple.remoteAddress);
    }
    const shared: Shared = {
      role,
      host: http.host,
      userAgent: http.userAgent,
      version: http.version,
      tls,
      bytes: writer.finish(),
      origin: `${scheme}://${http.host ?? hostText(address, port, DEFAULT_PORT[scheme])}`,
    };
    this.#shared.set(tuple, shared);
    return shared;
  }
}

const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** What an exchange inside TLS says of that. */
export function putTls(writer: WireWriter, tls: TlsView): void {
  put(writer, 'tls.protocol.name', 'tls');
  if (tls.version !== undefined) put(writer, 'tls.protocol.version', tls.version);
  put(writer, ATTR_TLS_LIBRARY, tls.library);
  put(writer, ATTR_TLS_EVIDENCE, tls.evidence);
  writeAttribute(writer, ATTRIBUTE, ATTR_TLS_CONFIDENCE, { double: tls.confidence });
}

const put = (writer: WireWriter, key: string, value: string | number): void =>
  writeAttribute(writer, ATTRIBUTE, key, value);

/** A target in absolute form (RFC 9112 section 3.2.2) without scheme and authority. */
function originPath(target: string): string {
  if (target.startsWith('/') || target === '*') return target;
  const scheme = target.indexOf('://');
  if (scheme < 0) return target;
  const slash = target.indexOf('/', scheme + 3);
  return slash < 0 ? '/' : target.slice(slash);
}

/** `example.org:8080`, `[::1]:80`, `example.org` (then it is the scheme's default port). */
function splitHost(
  host: string | undefined,
  defaultPort: number,
): { address: string; port: number } | undefined {
  const match = host === undefined ? null : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(host);
  if (match === null) return undefined;
  return { address: match[1] ?? match[2]!, port: match[3] === undefined ? defaultPort : Number(match[3]) };
}

const hostText = (address: string, port: number, defaultPort: number): string =>
  `${address.includes(':') ? `[${address}]` : address}${port === defaultPort ? '' : `:${port}`}`;
