import type { Socket } from 'node:net';
import type { Origin } from '../component/signal.js';

/**
 * Both ends of a client's connection, as a receiver puts them into `Origin`; undefined for a unix socket and for a
 * connection that is gone already. IPv4 addresses that arrive on a dual-stack socket lose their `::ffff:` prefix, so
 * that they compare equal to what the kernel and the client say.
 */
export function connectionOf(socket: Socket | undefined): Origin['connection'] {
  if (socket === undefined) return undefined;
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  if (localAddress === undefined || localPort === undefined) return undefined;
  return { remoteAddress: plain(remoteAddress), remotePort, localAddress: plain(localAddress), localPort };
}

const plain = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address);
