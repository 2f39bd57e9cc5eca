/** Addresses as Go prints them (`net.IP`): IPv4 in IPv6 as IPv4, IPv6 in its shortest form. */
import { isIP, SocketAddress } from 'node:net';

/** The canonical text, or undefined when it is no address. */
export function canonicalIp(text: string): string | undefined {
  const family = isIP(text);
  if (family === 0 || text.includes('%')) return undefined;
  if (family === 4) return text;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** Of 4 or 16 bytes; '' of none, and of other lengths what Go prints. */
export function ipOfBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return '';
  if (bytes.length === 4) return bytes.join('.');
  const hex = Buffer.from(bytes).toString('hex');
  if (bytes.length !== 16) return `?${hex}`;
  return canonicalIp(hex.replace(/(.{4})(?=.)/g, '$1:')) ?? `?${hex}`;
}
