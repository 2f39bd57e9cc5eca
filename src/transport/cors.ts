/**
 * Cross-origin requests of web pages (https://fetch.spec.whatwg.org/#http-cors-protocol), with the answers of
 * github.com/rs/cors, which the Collector uses: credentials allowed, one `*` wildcard inside an origin.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServerConfig } from '../config/server-fields.js';

type CorsConfig = NonNullable<HttpServerConfig['cors']>;

/** Allowed when `allowed_headers` is empty. */
const DEFAULT_HEADERS = ['accept', 'content-type', 'x-requested-with'];
/** Simple methods, which a page may use anyway, and the question itself. What they get is 405. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);
/** RFC 9110 section 5.6.1.2: a reasonable number of empty elements must be tolerated. */
const MAX_EMPTY_ELEMENTS = 16;

/** Sets the headers for one request. True when the request was a preflight and has its answer. */
export type CorsHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

export function corsHandler(config: CorsConfig): CorsHandler {
  const anyOrigin = config.allowed_origins.includes('*');
  const origins = config.allowed_origins.map(originMatcher);
  const allowsOrigin = (origin: string): boolean =>
    anyOrigin || origins.some((matches) => matches(origin.toLowerCase()));
  const names = config.allowed_headers.length === 0 ? DEFAULT_HEADERS : config.allowed_headers;
  const allowedHeaders = new Set(names.map((name) => name.toLowerCase()));
  const allowsHeaders = (requested: string): boolean =>
    allowedHeaders.has('*') || areAllowed(requested, allowedHeaders);

  return (request, response) => {
    const { origin } = request.headers;
    const method = request.headers['access-control-request-method'];
    const preflight = request.method === 'OPTIONS' && method !== undefined && method !== '';
    const wanted = (preflight ? method : request.method) ?? '';
    response.setHeader(
      'vary',
      preflight ? 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' : 'Origin',
    );
    const requested = request.headers['access-control-request-headers'] ?? '';
    const allowed =
      origin !== undefined &&
      origin !== '' &&
      allowsOrigin(origin) &&
      (METHODS.has(wanted) || wanted === 'OPTIONS') &&
      (!preflight || allowsHeaders(requested));
    if (allowed) {
      response.setHeader('access-control-allow-origin', anyOrigin ? '*' : origin);
      response.setHeader('access-control-allow-credentials', 'true');
      if (preflight) {
        response.setHeader('access-control-allow-methods', wanted);
        if (requested !== '') response.setHeader('access-control-allow-headers', requested);
        if (config.max_age > 0) response.setHeader('access-control-max-age', String(config.max_age));
      } else if (config.exposed_headers.length > 0) {
        response.setHeader('access-control-expose-headers', config.exposed_headers.join(', '));
      }
    }
    if (preflight) response.writeHead(204).end();
    return preflight;
  };
}

/** Browsers send names in lower case, sorted, each once (https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names). */
function areAllowed(requested: string, allowed: ReadonlySet<string>): boolean {
  let before = '';
  let empty = 0;
  for (const element of requested.split(',')) {
    const name = element.replace(/^[ \t]|[ \t]$/g, '');
    if (name === '') {
      if (++empty > MAX_EMPTY_ELEMENTS) return false;
      continue;
    }
    if (!allowed.has(name) || name <= before) return false;
    before = name;
  }
  return true;
}

/** Takes the origin in lower case. */
function originMatcher(pattern: string): (origin: string) => boolean {
  const wanted = pattern.toLowerCase();
  const star = wanted.indexOf('*');
  if (star < 0) return (origin) => origin === wanted;
  const prefix = wanted.slice(0, star);
  const suffix = wanted.slice(star + 1);
  return (origin) =>
    origin.length >= prefix.length + suffix.length && origin.startsWith(prefix) && origin.endsWith(suffix);
}
