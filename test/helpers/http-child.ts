/** An HTTP server and a client in processes of their own, with known traffic on one kept-alive connection. */

import { NodeChild } from './kernel.js';

/** Answers /hello, /big (BIG_BYTES), /parts (a corked, chunked response). Reports each socket's totals at its end. */
const SERVER = `
const http = require('node:http');
const server = http.createServer((request, response) => {
  if (request.url === '/big') return response.end(Buffer.alloc(${1 << 20}, 'b'));
  if (request.url === '/parts') {
    response.cork();
    for (const part of ['one', 'two', 'three']) response.write(part);
    response.end();
    return response.uncork();
  }
  response.end('hello');
});
server.on('connection', (socket) => socket.on('close', () =>
  process.send({ bytesRead: socket.bytesRead, bytesWritten: socket.bytesWritten })));
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
`;

/** For { port, paths }: requests the paths one after the other on one connection, closes it, sends { bytes }. */
const CLIENT = `
const http = require('node:http');
process.on('message', async ({ port, paths }) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let bytes = 0;
  for (const path of paths) {
    await new Promise((resolve, reject) => http.get({ port, host: '127.0.0.1', path, agent }, (response) => {
      response.on('data', (data) => { bytes += data.length; });
      response.on('end', resolve);
    }).on('error', reject));
  }
  agent.destroy();
  process.send({ bytes });
});
process.send('ready');
`;

export const BIG_BYTES = 1 << 20;

export interface SocketTotals {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export class HttpPair {
  readonly server = new NodeChild(SERVER);
  readonly client = new NodeChild(CLIENT);
  #port = 0;

  static async start(): Promise<HttpPair> {
    const pair = new HttpPair();
    pair.#port = (await pair.server.message<{ port: number }>()).port;
    await pair.client.message();
    return pair;
  }

  get port(): number {
    return this.#port;
  }

  /** Requests the paths on one connection. Returns what the server's socket says it moved. */
  async request(paths: readonly string[]): Promise<SocketTotals> {
    this.client.send({ port: this.#port, paths });
    await this.client.message();
    return this.server.message<SocketTotals>();
  }

  async end(): Promise<void> {
    await this.client.end();
    await this.server.end();
  }
}
