/** Small HTTP servers for people and probes: health, pages, profiles, own metrics. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseEndpoint } from '../config/fields.js';
import { listen, listenOptions, type OpenListener } from './listen.js';

export interface Page {
  readonly status?: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export const NOT_FOUND: Page = {
  status: 404,
  type: 'text/plain; charset=utf-8',
  body: '404 page not found\n',
};

/**
 * Serves what `pageOf` says for a request's path and query, on an endpoint like `localhost:8888`. `pageOf` may take its
 * time; what it throws becomes a 500 with its message. Rejects when the address can't be bound. `close` does not wait
 * for clients.
 */
export async function servePages(
  endpoint: string,
  pageOf: (url: URL, gone: AbortSignal) => Page | Promise<Page>,
): Promise<OpenListener> {
  const server = createServer((request, response) => void answer(request, response, pageOf));
  const { host, port } = parseEndpoint(endpoint);
  const listener = await listen(server, listenOptions(host, port));
  return {
    address: listener.address,
    close: () => {
      const closed = listener.close();
      server.closeAllConnections();
      return closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pageOf: (url: URL, gone: AbortSignal) => Page | Promise<Page>,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let page: Page;
  try {
    page = await pageOf(new URL(request.url ?? '/', 'http://localhost'), gone.signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    page = { status: 500, type: 'text/plain; charset=utf-8', body: `${message}\n` };
  }
  if (response.destroyed) return;
  response.writeHead(page.status ?? 200, {
    'content-type': page.type,
    'content-length': Buffer.byteLength(page.body),
    'x-content-type-options': 'nosniff',
    ...page.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}
