/** A UDP socket that hands datagrams on, one by one. */
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import type { Origin } from '../component/signal.js';
import { hostPort, reasonOf } from './listen.js';

export interface DatagramServerOptions {
  readonly host: string;
  readonly port: number;
  /** Of the kernel's buffer; 0: what the system gives. */
  readonly socketBufferBytes: number;
  /** `bytes` belong to the receiver. Must not throw. */
  readonly onDatagram: (bytes: Buffer, connection: Origin['connection']) => void;
  readonly onError: (error: Error) => void;
  /** Resolves when everything that was handed on is settled. */
  readonly idle: () => Promise<void>;
}

export class DatagramServer {
  readonly #options: DatagramServerOptions;
  #socket: Socket | undefined;
  #address: AddressInfo | null = null;

  constructor(options: DatagramServerOptions) {
    this.#options = options;
  }

  get address(): AddressInfo | null {
    return this.#address;
  }

  /** Rejects when the address can't be bound. */
  async start(): Promise<void> {
    const { host, port, socketBufferBytes, onDatagram, onError } = this.#options;
    const bindTo = host === 'localhost' ? '127.0.0.1' : host;
    const type = bindTo.includes(':') ? 'udp6' : 'udp4';
    const recvBuffer = socketBufferBytes > 0 ? { recvBufferSize: socketBufferBytes } : {};
    const socket = createSocket({ type, ...recvBuffer });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error: NodeJS.ErrnoException) => {
        socket.close();
        this.#socket = undefined;
        const where = hostPort(host, port);
        reject(new Error(`listen udp ${where}: bind: ${reasonOf(error)}`, { cause: error }));
      });
      socket.bind({ port, ...(bindTo === '' ? {} : { address: bindTo }) }, resolve);
    });
    socket.removeAllListeners('error').on('error', onError);
    const { address: localAddress, port: localPort } = socket.address();
    this.#address = socket.address() as AddressInfo;
    socket.on('message', (bytes, { address, port: remotePort }) =>
      onDatagram(bytes, { remoteAddress: address, remotePort, localAddress, localPort }),
    );
  }

  /** Takes no more datagrams, and waits for those that were handed on until `deadline` aborts. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
    if (deadline.aborted) return;
    await Promise.race([
      this.#options.idle(),
      new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true })),
    ]);
  }
}
