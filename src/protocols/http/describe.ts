/**
 * Spans of HTTP exchanges, whatever the version: semantic conventions 1.44, HTTP spans
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/, stable). No route is known from the wire: a
 * span is named by its method, and by the template of its path where one was learned or is given by a rule.
 *
 * `http.route` must not stand for a path that was only seen, so a server has it by rules alone; `url.template` is a
 * client's.
 */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';
import { withTemplate } from './url-template.js';

/** What is known of an HTTP exchange. */
export interface HttpDetail {
  readonly method: string;
  /** Target as sent, cut at the query; an absolute one (to a proxy) is kept whole. */
  readonly path: string;
  readonly query: string | undefined;
  /** `Host` or `:authority`. */
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  readonly scheme: string;
  /** "1.0", "1.1", "2" */
  readonly version: string;
  /** 0 until a final response was seen. */
  statusCode: number;
}

/** Methods of RFC 9110, RFC 5789 and QUERY: others are `_OTHER`. */
const METHODS = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

export const HTTP_ATTRIBUTES = [
  'http.request.method',
  'http.request.method_original',
  'http.response.status_code',
  'url.full',
  'url.scheme',
  'url.path',
  'url.query',
  'url.template',
  'http.route',
  'user_agent.original',
  'error.type',
] as const;

export function describeHttp(
  { detail }: WireExchange<HttpDetail>,
  span: SpanSink,
  options: ProtocolOptions,
): void {
  const known = METHODS.has(detail.method);
  const { urlTemplate } = span;
  span.name = withTemplate(known ? detail.method : 'HTTP', urlTemplate);
  span.protocol = detail.version.startsWith('1') ? 'http' : 'http2';
  span.network('http', detail.version);
  span.put('http.request.method', known ? detail.method : '_OTHER');
  if (!known) span.put('http.request.method_original', detail.method);
  const named = splitAuthority(detail.host, detail.scheme === 'https' ? 443 : 80);
  if (named !== undefined) span.server(named.address, named.port);
  const path = detail.method === 'CONNECT' ? '' : originPath(detail.path);
  const query = detail.query === undefined ? undefined : queryText(detail.query, options.urlQuery);
  if (span.side === 'client') {
    const host = detail.host ?? span.serverText(detail.scheme === 'https' ? 443 : 80);
    span.put('url.full', `${detail.scheme}://${host}${path}${query === undefined ? '' : `?${query}`}`);
    span.put('url.template', urlTemplate?.text);
  } else {
    span.put('url.scheme', detail.scheme);
    span.put('url.path', path);
    span.put('url.query', query);
    if (urlTemplate?.isRoute) span.put('http.route', urlTemplate.text);
  }
  span.put('user_agent.original', detail.userAgent);
  const { statusCode } = detail;
  if (statusCode === 0) return;
  span.put('http.response.status_code', statusCode);
  if (span.errorType === undefined && statusCode >= (span.side === 'client' ? 400 : 500)) {
    span.errorType = String(statusCode);
  }
}

/** A target in absolute form (RFC 9112 section 3.2.2) without scheme and authority, and so without credentials. */
export function originPath(target: string): string {
  if (target.startsWith('/') || target === '*') return target;
  const scheme = target.indexOf('://');
  if (scheme < 0) return target;
  const slash = target.indexOf('/', scheme + 3);
  return slash < 0 ? '/' : target.slice(slash);
}

export function queryText(query: string, policy: ProtocolOptions['urlQuery']): string | undefined {
  if (policy === 'off') return undefined;
  if (policy === 'full') return query;
  return query.replace(/=[^&;]*/g, '=REDACTED');
}

/** `example.org:8080`, `[::1]:80`, `example.org`. */
export function splitAuthority(
  host: string | undefined,
  defaultPort: number,
): { address: string; port: number } | undefined {
  const match = host === undefined ? null : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(host);
  if (match === null) return undefined;
  return { address: match[1] ?? match[2]!, port: match[3] === undefined ? defaultPort : Number(match[3]) };
}
