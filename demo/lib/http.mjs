/** As much HTTP as the demo needs: a server with a table of routes, and a client with keep-alive. */
import http from 'node:http';
import { SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * @typedef {(request: http.IncomingMessage, id: string) => unknown | Promise<unknown>} Handler
 *   Gets the last path segment as `id`; what it returns is sent as JSON.
 */

/**
 * Listens on a loopback port that the system chooses, and gives that port.
 * @param {Readonly<Record<string, Handler>>} routes keyed by route, for example `/stock/{id}`
 */
export const serve = (routes) => {
  const server = http.createServer(async (request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const id = path.slice(path.lastIndexOf('/') + 1);
    const route = path in routes ? path : `${path.slice(0, path.lastIndexOf('/'))}/{id}`;
    const handler = routes[route];
    const span = trace.getActiveSpan();
    if (handler === undefined) return send(response, 404, { error: 'no such route' });
    span?.setAttribute('http.route', route);
    span?.updateName(`${request.method} ${route}`);
    try {
      send(response, 200, await handler(request, id));
    } catch (error) {
      span?.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      send(response, 500, { error: String(error) });
    }
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
};

const send = (
  /** @type {http.ServerResponse} */ response,
  /** @type {number} */ status,
  /** @type {unknown} */ body,
) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
};

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

/**
 * Fetches JSON. Rejects on a transport error, a status of 500 or more, and after 10 s.
 * @returns {Promise<unknown>}
 */
export const get = (/** @type {string} */ url) =>
  new Promise((resolve, reject) => {
    const request = http.get(url, { agent, timeout: 10_000 }, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status >= 500) reject(new Error(`${url} answered ${status}`));
        else resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${url} did not answer in 10 s`)));
    request.on('error', reject);
  });
