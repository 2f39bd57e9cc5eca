import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { numbersIn } from './numbers.js';

/** What the backend does with a request. Only `take` counts it. */
export type Behaviour =
  | { readonly kind: 'take'; readonly delayMs?: number }
  /** Says a status and takes nothing. */
  | { readonly kind: 'refuse'; readonly status: number; readonly headers?: Record<string, string> }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Closes the connection after part of the request (`early`) or part of the answer. */
  | { readonly kind: 'cut'; readonly early: boolean };

/** An OTLP/HTTP server that counts numbered spans. */
export class CountingBackend {
  /** How often each number was taken. */
  readonly counts = new Map<number, number>();
  /** Requests by what was done with them. */
  readonly met = new Map<string, number>();
  behaviour: (request: number) => Behaviour = () => ({ kind: 'take' });
  #requests = 0;
  #server: http.Server | undefined;
  readonly #host: string;
  #port: number;

  /** `port` 0: any that is free. */
  constructor(port = 0, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on the port of the last time if there was one. */
  async start(): Promise<void> {
    const server = http.createServer((request, response) => {
      void this.#serve(request, response).catch(() => response.destroy());
    });
    server.listen(this.#port, this.#host);
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  get duplicates(): number {
    let sum = 0;
    for (const count of this.counts.values()) sum += count - 1;
    return sum;
  }

  missing(acknowledged: Iterable<number>): number[] {
    return [...acknowledged].filter((number) => !this.counts.has(number));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const does = this.behaviour(this.#requests++);
    const name = does.kind === 'refuse' ? `refuse ${does.status}` : does.kind;
    this.met.set(name, (this.met.get(name) ?? 0) + 1);
    if (does.kind === 'cut' && does.early) {
      await once(request, 'data');
      request.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const wire = Buffer.concat(chunks);
    if (does.kind === 'hang') return;
    if (does.kind === 'cut') {
      response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': '100' });
      response.write('\0');
      setImmediate(() => response.destroy());
      return;
    }
    if (does.kind === 'refuse') {
      response.writeHead(does.status, does.headers).end();
      return;
    }
    if (does.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, does.delayMs));
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(wire) : wire;
    for (const number of numbersIn(body)) this.counts.set(number, (this.counts.get(number) ?? 0) + 1);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  }
}
