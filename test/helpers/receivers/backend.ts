/** An HTTP server that a Collector exports to, and that says what it is told to say. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Verdict } from './case.js';
import { readZipkinProto } from './zipkin-proto.js';

const STATUS: Readonly<Record<Verdict, number>> = { ok: 200, permanent: 400, transient: 503 };

export class Backend {
  verdict: Verdict = 'ok';
  #received: unknown[] = [];
  #onReceived: (() => void) | undefined;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const isJson = request.headers['content-type'] === 'application/json';
      const body = Buffer.concat(chunks);
      this.#received.push(isJson ? (JSON.parse(body.toString('utf8')) as unknown) : readZipkinProto(body));
      response.writeHead(STATUS[this.verdict], { 'content-type': 'application/json' }).end('{}');
      this.#onReceived?.();
    });
  });

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** What came since the last call. */
  take(): unknown[] {
    const received = this.#received;
    this.#received = [];
    return received;
  }

  /** Resolves with the next request. */
  async next(): Promise<unknown[]> {
    if (this.#received.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onReceived = resolve;
      });
    }
    return this.take();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
