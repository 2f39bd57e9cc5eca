import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { numberedRequest } from './numbers.js';

interface Options {
  readonly host?: string;
  readonly port: number;
  readonly connections?: number;
  readonly spansPerRequest?: number;
  readonly paddingBytes?: number;
  /** Wait between requests of a connection. */
  readonly pauseMs?: number;
}

/**
 * Sends numbered spans over OTLP/HTTP, on each connection one request after the other, and remembers what was
 * acknowledged. What was not (refused, or the connection broke) is sent again, as an SDK would.
 */
export class NumberingSender {
  readonly acknowledged = new Set<number>();
  /** Answers by status; 0: no answer. */
  readonly answers = new Map<number, number>();
  readonly #options: Required<Options>;
  readonly #agent: http.Agent;
  #next = 1;
  #running: Promise<unknown> | undefined;
  #stopped = false;

  constructor(options: Options) {
    this.#options = {
      host: '127.0.0.1',
      connections: 4,
      spansPerRequest: 10,
      paddingBytes: 0,
      pauseMs: 1,
      ...options,
    };
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: this.#options.connections });
  }

  start(): void {
    this.#running = Promise.all(Array.from({ length: this.#options.connections }, () => this.#run()));
  }

  /** Resolves when no request is on its way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    const { spansPerRequest: count, paddingBytes, pauseMs } = this.#options;
    while (!this.#stopped) {
      const first = this.#next;
      this.#next += count;
      const body = numberedRequest(first, count, paddingBytes);
      while (!this.#stopped) {
        const status = await this.#post(body);
        this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
        if (status === 200) {
          for (let number = first; number < first + count; number++) this.acknowledged.add(number);
          break;
        }
        await sleep(Math.max(10, pauseMs));
      }
      if (pauseMs > 0) await sleep(pauseMs);
    }
  }

  #post(body: Buffer): Promise<number> {
    return new Promise((resolve) => {
      const request = http.request(
        {
          host: this.#options.host,
          port: this.#options.port,
          path: '/v1/traces',
          method: 'POST',
          agent: this.#agent,
          headers: { 'content-type': 'application/x-protobuf', 'content-length': body.length },
        },
        (response) => {
          response.on('error', () => resolve(0));
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        },
      );
      request.on('error', () => resolve(0));
      request.end(body);
    });
  }
}
