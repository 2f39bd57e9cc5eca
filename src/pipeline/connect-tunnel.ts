/**
 * TLS to a server behind an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), then TLS inside.
 *
 * The tunnel is a stream from its first moment on, before the proxy has answered. So the agent of `node:https` sees a
 * connection at once and counts it against its limits, as it does with direct ones.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { HttpProxy } from './http-proxy.js';

/** An agent whose connections go through a proxy. Its TLS options hold for the server, and for a proxy on https. */
export class TunnelAgent extends https.Agent {
  readonly #proxy: HttpProxy;

  constructor(proxy: HttpProxy, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: https.RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const { host, port } = options;
    const name = String(host).includes(':') ? `[${host}]` : String(host);
    const tunnel = new ConnectTunnel(this.#proxy, `${name}:${port ?? 443}`, this.options);
    const secure = super.createConnection({ ...options, socket: tunnel } as https.RequestOptions, callback);
    // A TLS socket over a stream does not hear of the stream's errors.
    tunnel.on('error', (error) => secure?.destroy(error));
    return secure;
  }
}

/** Bytes to and from `authority` (`host:port`); what is written waits until the proxy has connected. */
class ConnectTunnel extends Duplex {
  readonly #request: http.ClientRequest;
  #socket: Socket | undefined;
  #waiting: (() => void) | undefined;

  constructor(
    { url, headers }: HttpProxy,
    authority: string,
    { ca, rejectUnauthorized }: https.AgentOptions,
  ) {
    super();
    const { request } = url.protocol === 'https:' ? https : http;
    this.#request = request({
      method: 'CONNECT',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: authority,
      headers: { host: authority, ...headers },
      agent: false,
      ...(ca === undefined ? {} : { ca }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    });
    this.#request.on('error', (error) => this.destroy(error));
    this.#request.on('connect', (response, socket, head) => {
      if (response.statusCode === 200) this.#open(socket, head);
      else {
        socket.destroy();
        this.destroy(new Error(`proxy: ${response.statusCode} ${response.statusMessage}`));
      }
    });
    this.#request.end();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = (): void => {
      this.#socket?.write(chunk, done);
    };
    if (this.#socket === undefined) this.#waiting = write;
    else write();
  }

  override _final(done: () => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#request.destroy();
    this.#socket?.destroy();
    done(error);
  }

  #open(socket: Socket, head: Buffer): void {
    this.#socket = socket;
    if (head.length > 0) this.push(head);
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
