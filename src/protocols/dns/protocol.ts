/** DNS over UDP and TCP (RFC 1035). */
import { CERTAIN, LIKELY, NOT_OURS, type Protocol } from '../protocol.js';
import { isKnownType, nameEnd, rcodeName, typeName } from './message.js';
import { type DnsDetail, DnsParser, dnsKind } from './parser.js';

const OPCODES = ['QUERY', 'IQUERY', 'STATUS', '', 'NOTIFY', 'UPDATE'];

export const dnsProtocol: Protocol<DnsDetail> = {
  name: 'dns',
  title: 'DNS',
  convention: 'dns',
  transports: ['udp', 'tcp'],
  ports: [53],
  pairing: 'by_id',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 512, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'Queries and responses of every type and opcode, over UDP and TCP; repeated queries are one exchange',
    spanName: '`DNS {type}`, `DNS {opcode}` for others than queries',
    attributes: ['dns.question.name', 'dns.answers', 'error.type'],
    errors: 'every response code but NOERROR (`NXDOMAIN`, `SERVFAIL`, …); `no_response`',
    limits: [
      'Multicast DNS (port 5353) is passed over: nobody has to answer it.',
      '`dns.answers` holds at most 32 answers of the type that was asked for, as far as they were captured.',
      'A zone transfer ends with its connection.',
    ],
  },

  recognise(bytes, start, end) {
    // Over TCP the length comes first; taken for a header it hardly ever is one, and the other way round.
    if (end - start < 17) return NOT_OURS;
    const length = bytes.readUInt16BE(start);
    if (length >= 17) {
      const kind = dnsKind(bytes, start + 2, Math.min(end, start + 2 + length), length === end - start - 2);
      if (kind !== 0) return kind * verdict(bytes, start + 2, end);
    }
    const kind = dnsKind(bytes, start, end, false);
    return kind === 0 ? NOT_OURS : kind * verdict(bytes, start, end);
  },

  createParser: (host) => new DnsParser(host),

  describe({ detail }, span) {
    const operation = OPCODES[detail.opcode] || `OPCODE${detail.opcode}`;
    span.name = `DNS ${operation === 'QUERY' ? typeName(detail.type) : operation}`;
    span.network('dns', undefined);
    span.put('dns.question.name', detail.name === '' ? '.' : detail.name);
    span.put('dns.answers', detail.answers);
    if (detail.rcode > 0) span.errorType = rcodeName(detail.rcode);
  },
};

function verdict(bytes: Buffer, start: number, end: number): number {
  const name = nameEnd(bytes, start + 12, end);
  return isKnownType(bytes.readUInt16BE(name)) ? CERTAIN - 8 : LIKELY;
}
