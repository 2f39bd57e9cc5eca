/** Both ends of one TCP connection in one process, under the test's control. */
import { NodeChild } from './kernel.js';

/** For { rounds }: so many requests of 6 bytes, each answered with 7. For { end }: closes the connection. */
const SCRIPT = `
const net = require('node:net');
const server = net.createServer((socket) => {
  socket.on('data', () => socket.write('answer\\n'));
  socket.on('end', () => socket.end());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const client = net.connect(port, '127.0.0.1', () => process.send({ port, clientPort: client.localPort }));
  const round = () => new Promise((resolve) => { client.once('data', resolve); client.write('query\\n'); });
  process.on('message', async ({ rounds, end }) => {
    if (end) return client.end(() => {}).on('close', () => process.send('closed'));
    for (let i = 0; i < rounds; i++) await round();
    process.send('done');
  });
});
`;

export class EchoChild {
  readonly #child = new NodeChild(SCRIPT);
  port = 0;
  clientPort = 0;

  static async start(): Promise<EchoChild> {
    const echo = new EchoChild();
    Object.assign(echo, await echo.#child.message<{ port: number; clientPort: number }>());
    return echo;
  }

  get pid(): number {
    return this.#child.pid;
  }

  async rounds(rounds: number): Promise<void> {
    this.#child.send({ rounds });
    await this.#child.message();
  }

  async close(): Promise<void> {
    this.#child.send({ end: true });
    await this.#child.message();
  }

  async end(): Promise<void> {
    await this.#child.end();
  }
}
