/**
 * Cross-origin requests of web pages (https://fetch.spec.whatwg.org/#http-cors-protocol), with the answers of
 * github.com/rs/cors, which the Collector uses: credentials allowed, one `*` wildcard inside an origin.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServerConfig } from '../config/server-fields.js';

type CorsConfig = NonNullable<HttpServerConfig['cors']>;

/** Allowed when `allowed_headers` is empty. */
const DEFAULT_HEADERS = ['accept', 'content-type', 'x-requested-with'];

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
    allowedHeaders.has('*') ||
    requested
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .every((name) => name === '' || name === 'origin' || allowedHeaders.has(name));

  return (request, response) => {
    const { origin } = request.headers;
    const method = request.headers['access-control-request-method'];
    const preflight = request.method === 'OPTIONS' && method !== undefined;
    response.setHeader(
      'vary',
      preflight ? 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' : 'Origin',
    );
    const requested = request.headers['access-control-request-headers'] ?? '';
    const allowed =
      origin !== undefined &&
      allowsOrigin(origin) &&
      (!preflight || (method === 'POST' && allowsHeaders(requested)));
    if (allowed) {
      response.setHeader('access-control-allow-origin', anyOrigin ? '*' : origin);
      response.setHeader('access-control-allow-credentials', 'true');
      if (preflight) {
        response.setHeader('access-control-allow-methods', 'POST');
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
