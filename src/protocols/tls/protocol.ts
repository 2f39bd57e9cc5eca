/** Handshakes of TLS: what can be known of a connection whose plaintext is not seen. */
import { CERTAIN, LIKELY, NOT_OURS, type Protocol, type Side, UNDECIDED, type Verdict } from '../protocol.js';
import { describeTls, TLS_ATTRIBUTES, type TlsDetail } from './detail.js';
import { TlsParser } from './parser.js';
import { HANDSHAKE, HEADER_BYTES, RECORD, recordLength } from './record.js';

export const tlsProtocol: Protocol<TlsDetail> = {
  name: 'tls',
  title: 'TLS handshake',
  convention: 'none',
  transports: ['tcp', 'unix'],
  ports: [443, 8443],
  pairing: 'in_order',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 1024, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'The handshake of SSL 3.0 to TLS 1.3 as one exchange, with retries, resumption and early data; also after `STARTTLS` of other protocols. Its duration ends with the last byte that the client had to wait for',
    spanName: '`TLS handshake`',
    attributes: TLS_ATTRIBUTES,
    errors:
      'alerts by their name (`unknown_ca`, `handshake_failure`, `no_application_protocol`), `encrypted_alert` where TLS 1.3 hides it, `closed_in_handshake`; `no_response`, `reset`',
    limits: [
      'Off by default in the `ebpf` receiver (`protocols.disabled`), which reads the plaintext of most programs and would tell of such connections twice.',
      'TLS 1.3 encrypts the application protocol that was chosen: `tls.next_protocol` is known when only one was offered; all are in `kindling.tls.offered_protocols`.',
      'With Encrypted Client Hello the name is that of the outer hello.',
      'A connection that is joined after its handshake is not recognised.',
    ],
  },

  recognise,
  createParser: (host) => new TlsParser(host),
  describe: describeTls,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const type = bytes[start];
  if (type !== RECORD.handshake && type !== RECORD.alert) return NOT_OURS;
  const length = recordLength(bytes, start, end);
  if (length < 0) return NOT_OURS;
  const sign = from === 'server' ? -1 : 1;
  if (length === 0 || end - start < HEADER_BYTES + 4) {
    // Some programs read the header first.
    if (type === RECORD.handshake) return sign * UNDECIDED;
    return NOT_OURS;
  }
  const at = start + HEADER_BYTES;
  if (type === RECORD.alert) {
    const level = bytes[at]!;
    return length === HEADER_BYTES + 2 && (level === 1 || level === 2) ? sign * LIKELY : NOT_OURS;
  }
  const hello = bytes[at];
  const size = bytes.readUIntBE(at + 1, 3);
  if (size < 38 || size > 0x2_0000 || (end - start > 10 && bytes[at + 4] !== 3)) return NOT_OURS;
  // A hello fills its record, or goes on in the next one; a server's may be followed by more in the same.
  if (hello === HANDSHAKE.clientHello && size + 4 + HEADER_BYTES >= length) return CERTAIN;
  return hello === HANDSHAKE.serverHello ? -CERTAIN : NOT_OURS;
}
