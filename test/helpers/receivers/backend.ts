/** An OTLP/HTTP server that a Collector exports to, as JSON, and that says what it is told to say. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Verdict } from './case.js';

const STATUS: Readonly<Record<Verdict, number>> = { ok: 200, permanent: 400, transient: 503 };

export class Backend {
  verdict: Verdict = 'ok';
  #received: unknown[] = [];
  #onReceived: (() => void) | undefined;
  readonly #server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.#received.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown);
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
