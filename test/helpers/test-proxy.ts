import * as http from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An HTTP proxy on loopback that sends everything to one server, whatever the name asked for, and remembers. */
export class TestProxy {
  /** `CONNECT host:port` and `POST http://host/path`. */
  readonly seen: string[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** What CONNECT is answered with. */
  connectStatus = '200 OK';
  readonly #server: http.Server;
  readonly #tunnels = new Set<Socket>();
  #targetPort = 0;

  constructor() {
    this.#server = http.createServer((request, response) => {
      this.#note(request);
      const { pathname } = new URL(request.url ?? '');
      const { method, headers } = request;
      const onward = http.request(
        { host: '127.0.0.1', port: this.#targetPort, path: pathname, method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    this.#server.on('connect', (request: http.IncomingMessage, client: Socket) => {
      this.#note(request);
      client.on('error', () => undefined);
      if (!this.connectStatus.startsWith('200')) {
        client.end(`HTTP/1.1 ${this.connectStatus}\r\n\r\n`);
        return;
      }
      const server = connect(this.#targetPort, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(server).pipe(client);
      });
      server.on('error', () => client.destroy());
      for (const socket of [client, server]) this.#tunnels.add(socket);
    });
  }

  /** Listens, and sends everything to `targetPort`. Resolves with the proxy's `host:port`. */
  async start(targetPort: number): Promise<string> {
    this.#targetPort = targetPort;
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    for (const socket of this.#tunnels) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #note(request: http.IncomingMessage): void {
    this.seen.push(`${request.method} ${request.url}`);
    this.authorizations.push(request.headers['proxy-authorization']);
  }
}
