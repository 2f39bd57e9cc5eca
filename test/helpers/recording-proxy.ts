/** Stands between a real client and a real server on loopback and keeps what they say, in order. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface RecordedStep {
  readonly from: 'client' | 'server';
  readonly bytes: Buffer;
  /** Number of the connection, from 0. */
  readonly connection: number;
}

export class RecordingProxy {
  readonly steps: RecordedStep[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  private constructor(serverPort: number) {
    this.#server = createServer((client) => {
      const connection = this.#connections++;
      const server = connect(serverPort, '127.0.0.1');
      for (const [from, socket, to] of [
        ['client', client, server],
        ['server', server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('data', (bytes: Buffer) => {
          this.steps.push({ from, bytes, connection });
          to.write(bytes);
        });
        socket.on('end', () => to.end());
        socket.on('error', () => to.destroy());
        socket.on('close', () => this.#sockets.delete(socket));
      }
    });
  }

  /** In front of the server on `serverPort`. */
  static async listen(serverPort: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(serverPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
