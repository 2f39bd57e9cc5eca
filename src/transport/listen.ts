import type { AddressInfo, ListenOptions, Server } from 'node:net';

/** Silence after which the kernel asks whether the peer is still there, as for every connection of a Go program. */
export const TCP_KEEPALIVE_MS = 15_000;

/** A server that listens. */
export interface OpenListener {
  readonly address: AddressInfo | string | null;
  /** Stops listening; resolves when the last connection is gone. May be called again. */
  close(): Promise<void>;
}

/** Starts to listen; rejects with the sentence that Go programs print when the address is taken or not ours. */
export function listen(server: Server, options: ListenOptions): Promise<OpenListener> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const where = options.path ?? hostPort(options.host ?? '', options.port ?? 0);
      const network = options.path === undefined ? 'tcp' : 'unix';
      reject(new Error(`listen ${network} ${where}: bind: ${reasonOf(error)}`, { cause: error }));
    };
    server.once('error', onError);
    server.listen(options, () => {
      server.off('error', onError);
      let closed: Promise<void> | undefined;
      resolve({
        address: server.address(),
        close: () => {
          closed ??= new Promise((done) => server.close(() => done()));
          return closed;
        },
      });
    });
  });
}

/**
 * What to listen on for an endpoint. `localhost` is IPv4, as Go resolves it: a client that connects to 127.0.0.1 must
 * find us even where the name means ::1 first.
 */
export function listenOptions(host: string, port: number): ListenOptions {
  if (host === '') return { port };
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

/** `host:port` with brackets around an IPv6 address. */
export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The words of Go for why an address cannot be bound. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'address already in use';
    case 'EADDRNOTAVAIL':
      return 'cannot assign requested address';
    case 'EACCES':
      return 'permission denied';
    default:
      return error.message;
  }
}
