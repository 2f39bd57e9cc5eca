/** NATS: publish and subscribe, requests, JetStream. */
import {
  CERTAIN,
  LIKELY,
  NOT_OURS,
  POSSIBLE,
  type Protocol,
  type Side,
  UNDECIDED,
  type Verdict,
} from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { describeNats, NATS_ATTRIBUTES, type NatsDetail } from './detail.js';
import { ControlLine } from './line.js';
import { NatsParser } from './parser.js';

export const natsProtocol: Protocol<NatsDetail> = {
  name: 'nats',
  title: 'NATS',
  convention: 'messaging',
  system: 'nats',
  transports: ['tcp'],
  ports: [4222],
  pairing: 'by_id',
  serverFirst: true,
  carriers: CONTEXT_HEADERS.map((name) => `message header \`${name}\``),
  capture: { request: { head: 1024, tail: 0 }, response: { head: 1024, tail: 0 } },
  docs: {
    parsed:
      'Messages with and without headers in both directions, requests and their replies by the reply subject, JetStream: its API, fetches (shown as waiting) and messages until they are acknowledged',
    spanName:
      '`publish {subject}`, `request {subject}`, `deliver {subject}`, `fetch {stream}`; wildcards of the subscription, or `{id}` for what looks like an id',
    attributes: NATS_ATTRIBUTES,
    errors:
      'the status of a reply (`503`: nobody serves the subject), the code of a JetStream error (`404`), `nak` and `term`, the words of `-ERR` (`permissions_violation`), `no_response`, `reset`',
    limits: [
      'Routes, gateways and leaf nodes between servers are not parsed.',
      'Of a fetch of many messages the first one ends the wait; every message is a delivery of its own.',
      'A request that many serve ends with the first reply.',
      'Subjects of errors without a request are shown in the message of an exchange named `error`.',
    ],
  },

  recognise,
  createParser: (host) => new NatsParser(host),
  describe: describeNats,
};

const line = new ControlLine();

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  if (!STARTS[first]) return NOT_OURS;
  const fromClient =
    from ??
    (first === 0x49 || first === 0x2b || first === 0x2d || isMessage(bytes, start) ? 'server' : 'client');
  const sign = fromClient === 'client' ? 1 : -1;
  const length = line.read(fromClient === 'client', bytes, start, end);
  if (length < 0) return NOT_OURS;
  if (length === 0) {
    const text = bytes.toString('latin1', start, Math.min(end, start + 9));
    if (text.startsWith('INFO {') || text.startsWith('CONNECT {')) return sign * LIKELY;
    return end - start < 12 ? sign * UNDECIDED : NOT_OURS;
  }
  switch (line.verb.name) {
    case 'INFO':
      return has(bytes, '"server_id"', end) ? -CERTAIN : NOT_OURS;
    case 'CONNECT':
      return bytes[line.fields[0]!] === 0x7b && has(bytes, '"verbose"', end) ? CERTAIN : NOT_OURS;
    case 'PING':
    case 'PONG':
      return sign * POSSIBLE;
    case '+OK':
      return sign * UNDECIDED;
    case '-ERR':
      return line.count > 0 && bytes[line.fields[0]!] === 0x27 ? -LIKELY : NOT_OURS;
    case 'SUB':
    case 'UNSUB':
      return LIKELY;
    default:
      // The CRLF behind the payload stands where it was announced.
      if (start + length > end) return sign * LIKELY;
      return bytes[start + length - 1] === 0x0a && bytes[start + length - 2] === 0x0d
        ? sign * CERTAIN
        : NOT_OURS;
  }
}

const STARTS = new Uint8Array(256);
for (const letter of 'PHMSUCI+-phmsuci') STARTS[letter.charCodeAt(0)] = 1;

const isMessage = (bytes: Buffer, start: number): boolean => {
  const first = bytes[start]! | 0x20;
  return first === 0x6d || (first === 0x68 && (bytes[start + 1]! | 0x20) === 0x6d);
};

function has(bytes: Buffer, text: string, end: number): boolean {
  const at = bytes.indexOf(text, line.fields[0]!, 'latin1');
  return at >= 0 && at < end;
}
