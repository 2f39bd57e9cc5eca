import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Extension, Host, Settings } from '../../component/component.js';
import { parseCatchRequest } from '../../control/catch-request.js';
import { parseRecallQuestion } from '../../control/recall-question.js';
import { controlSocketPath, isRoot } from '../../control/socket-path.js';
import { OBSERVER_KEY } from '../../observer/observer-service.js';
import { listen, type OpenListener } from '../../transport/listen.js';
import type { ControlConfig } from './config.js';

const MAX_QUESTION_BYTES = 1024 * 1024;

/**
 * A unix socket that only its user may open (mode 0600, in a directory of mode 0700 when it makes one). What samples say
 * about other users' programs is as private as a debugger's view of them.
 */
export class Control implements Extension {
  readonly #settings: Settings;
  readonly #path: string;
  #host: Host | undefined;
  #server: Server | undefined;
  #listener: OpenListener | undefined;

  constructor(settings: Settings, config: ControlConfig) {
    this.#settings = settings;
    this.#path = config.path === '' ? controlSocketPath(process.env, isRoot()) : config.path;
  }

  /**
   * Listens. An agent works without it: when the path can't be used, another agent's socket for example, it says so and
   * goes on.
   */
  async start(host: Host): Promise<void> {
    this.#host = host;
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      await removeStale(this.#path);
      this.#listener = await listen(server, { path: this.#path });
      chmodSync(this.#path, 0o600);
    } catch (error) {
      this.#settings.logger.warn('No questions can be asked of this agent.', {
        reason: (error as Error).message,
      });
      return;
    }
    this.#settings.logger.debug('Taking questions.', { path: this.#path });
  }

  async shutdown(): Promise<void> {
    const closed = this.#listener?.close();
    this.#server?.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const reply = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(body);
    };
    const { method, url } = request;
    if (method !== 'POST' || (url !== '/v1/recall' && url !== '/v1/catch')) {
      return reply(404, 'text/plain', 'There are POST /v1/recall and POST /v1/catch.\n');
    }
    try {
      const body = await readBody(request);
      const observer = this.#host?.service(OBSERVER_KEY, 'live');
      const answer =
        url === '/v1/recall'
          ? await observer?.recall?.(parseRecallQuestion(body))
          : await observer?.catch?.(parseCatchRequest(body));
      if (answer === undefined) return reply(503, 'text/plain', 'This agent does not observe the kernel.\n');
      reply(200, 'application/json', JSON.stringify(answer));
    } catch (error) {
      reply(400, 'text/plain', `${(error as Error).message}\n`);
    }
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_QUESTION_BYTES) throw new Error(`A question has at most ${MAX_QUESTION_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Removes a socket that nobody listens on any more. Rejects when somebody does. */
function removeStale(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = connect({ path });
    probe.on('connect', () => {
      probe.destroy();
      reject(new Error(`listen unix ${path}: another agent listens there`));
    });
    probe.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') unlinkSync(path);
      resolve();
    });
  });
}
