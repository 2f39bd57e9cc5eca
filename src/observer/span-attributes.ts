/**
 * Attributes of the spans that are built from exchanges: OpenTelemetry semantic conventions 1.44, HTTP spans
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/, stable). Names are low-cardinality: no route is known
 * from the wire, so a span is named by its method alone.
 */
import type { AttributesInput } from '../otlp/attribute-writer.js';
import { ATTR_INCOMPLETE, ATTR_SOURCE } from '../semconv.js';
import type { Exchange } from './types.js';

export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';

/** What is written of a query string. `redacted`: names, with every value replaced. */
export type QueryPolicy = 'redacted' | 'full' | 'off';

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

export const spanName = (exchange: Exchange): string =>
  METHODS.has(exchange.http.method) ? exchange.http.method : 'HTTP';

/** Value of `error.type`, undefined for a success; a span that has one has the status ERROR. */
export function errorType(exchange: Exchange): string | undefined {
  const { statusCode } = exchange.http;
  if (exchange.incomplete === 'reset' || exchange.incomplete === 'no_response') return exchange.incomplete;
  return statusCode >= (exchange.role === 'client' ? 400 : 500) ? String(statusCode) : undefined;
}

export function spanAttributes(exchange: Exchange, queryPolicy: QueryPolicy): AttributesInput {
  const { http, tuple, role } = exchange;
  const known = METHODS.has(http.method);
  const isClient = role === 'client';
  const path = http.method === 'CONNECT' ? undefined : originPath(http.path);
  const query = http.query === undefined ? undefined : queryText(http.query, queryPolicy);
  const peer = splitHost(http.host);
  const address = peer?.address ?? (isClient ? tuple.remoteAddress : tuple.localAddress);
  const port = peer?.port ?? (isClient ? tuple.remotePort : tuple.localPort);
  const common = {
    'http.request.method': known ? http.method : '_OTHER',
    'http.request.method_original': known ? undefined : http.method,
    'server.address': address,
    'server.port': port,
    'network.peer.address': tuple.remoteAddress,
    'network.peer.port': tuple.remotePort,
    'network.protocol.version': http.version,
    'http.response.status_code': http.statusCode === 0 ? undefined : http.statusCode,
    'error.type': errorType(exchange),
    'user_agent.original': http.userAgent,
    [ATTR_SOURCE]: 'kernel',
    [ATTR_INCOMPLETE]: exchange.incomplete,
  };
  if (isClient) {
    const authority = http.host ?? hostText(address, port);
    return {
      ...common,
      'url.full': `http://${authority}${path ?? ''}${query === undefined ? '' : `?${query}`}`,
    };
  }
  return {
    ...common,
    'url.scheme': 'http',
    'url.path': path,
    'url.query': query,
    'client.address': tuple.remoteAddress,
  };
}

/** A target in absolute form (RFC 9112 section 3.2.2) without scheme and authority. */
function originPath(target: string): string {
  if (target.startsWith('/') || target === '*') return target;
  const scheme = target.indexOf('://');
  if (scheme < 0) return target;
  const slash = target.indexOf('/', scheme + 3);
  return slash < 0 ? '/' : target.slice(slash);
}

function queryText(query: string, policy: QueryPolicy): string | undefined {
  if (policy === 'off') return undefined;
  if (policy === 'full') return query;
  return query.replace(/=[^&;]*/g, '=REDACTED');
}

/** `example.org:8080`, `[::1]:80`, `example.org` (default port of plain HTTP). */
function splitHost(host: string | undefined): { address: string; port: number } | undefined {
  const match = host === undefined ? null : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(host);
  if (match === null) return undefined;
  return { address: match[1] ?? match[2]!, port: match[3] === undefined ? 80 : Number(match[3]) };
}

const hostText = (address: string, port: number): string =>
  `${address.includes(':') ? `[${address}]` : address}${port === 80 ? '' : `:${port}`}`;
