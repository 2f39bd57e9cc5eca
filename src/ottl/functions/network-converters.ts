/** Converters of URLs, addresses and flows. Source: pkg/ottl/ottlfuncs/README.md. */
import { createHash } from 'node:crypto';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { TypedValue } from '../../otlp/typed-value.js';
import { expectText, OttlError } from '../values.js';
import type { ConverterDef } from './function.js';
import { parseUrl } from './url.js';

/** Protocol numbers (IANA) that a Community ID knows. */
const PROTOCOLS: Readonly<Record<string, number>> = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMP6: 58,
  SCTP: 132,
  RSVP: 46,
};

export const NETWORK_CONVERTERS: Readonly<Record<string, ConverterDef>> = {
  URL: {
    parameters: ['url'],
    build: (args) => {
      const text = args.text(0);
      return (context) => {
        const source = text(context);
        if (source === '') throw new OttlError('url cannot be empty');
        return new Map<string, TypedValue>(parseUrl(source));
      };
    },
  },
  IsInCIDR: {
    parameters: ['target', 'networks'],
    build: (args) => {
      const target = args.text(0);
      const networks = args.textList(1);
      const literals = args.constantTexts(1);
      const fixed = literals === undefined ? undefined : blockList(literals, Error);
      return (context) => {
        const address = target(context);
        const list =
          fixed ??
          blockList(
            networks.map((network) => network(context)),
            OttlError,
          );
        return isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
      };
    },
  },
  // https://github.com/corelight/community-id-spec, version 1
  CommunityID: {
    parameters: ['source_ip', 'source_port', 'destination_ip', 'destination_port', 'protocol?', 'seed?'],
    build: (args) => {
      const ips = [args.text(0), args.text(2)] as const;
      const ports = [args.int(1), args.int(3)] as const;
      const protocol = args.has(4) ? args.of(4, expectText) : () => 'TCP';
      const seed = args.has(5) ? args.int(5) : () => 0n;
      return (context) => {
        const ends = [0, 1].map((end) => {
          const name = end === 0 ? 'source' : 'destination';
          const ip = ips[end as 0 | 1](context);
          if (isIP(ip) === 0) throw new OttlError(`invalid ${name} IP: ${ip}`);
          const port = ports[end as 0 | 1](context);
          if (port < 1n || port > 65535n) {
            throw new OttlError(`${name} port must be between 1 and 65535, got ${port}`);
          }
          return { address: addressBytes(ip), port: Number(port) };
        });
        const name = protocol(context);
        const number = PROTOCOLS[name.toUpperCase()];
        if (number === undefined) throw new OttlError(`unsupported protocol: ${name}`);
        const start = seed(context);
        if (start < 0n || start > 65535n) {
          throw new OttlError(`seed must be between 0 and 65535, got ${start}`);
        }
        return communityId(ends, number, Number(start));
      };
    },
  },
};

function blockList(networks: readonly string[], error: new (message: string) => Error): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const isGood =
      isIP(address) !== 0 && /^\d{1,3}$/.test(bits ?? '') && Number(bits) <= (family === 'ipv6' ? 128 : 32);
    if (!isGood) throw new error(`invalid CIDR address: ${network}`);
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

interface End {
  readonly address: Buffer;
  readonly port: number;
}

function communityId(ends: readonly End[], protocol: number, seed: number): string {
  const [low, high] = [...ends].sort(
    (a, b) => a.address.length - b.address.length || Buffer.compare(a.address, b.address) || a.port - b.port,
  ) as [End, End];
  const head = Buffer.alloc(2);
  head.writeUInt16BE(seed);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(low.port);
  ports.writeUInt16BE(high.port, 2);
  const tuple = Buffer.concat([head, low.address, high.address, Buffer.from([protocol, 0]), ports]);
  return `1:${createHash('sha1').update(tuple).digest('base64')}`;
}

/** 4 or 16 bytes. `address` is valid. */
function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address.replace(/%.*$/, ''));
  const text =
    dotted === null
      ? address.replace(/%.*$/, '')
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [left = '', right] = text.split('::');
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16));
  const [head, tail] = [words(left), words(right ?? '')];
  const middle = right === undefined ? [] : new Array<number>(8 - head.length - tail.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, word] of [...head, ...middle, ...tail].entries()) bytes.writeUInt16BE(word, index * 2);
  return bytes;
}
