/** AMQP 0-9-1: RabbitMQ and what speaks its protocol. */
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
import { AMQP_ATTRIBUTES, type AmqpDetail, describeAmqp } from './detail.js';
import { FRAME, FRAME_HEADER, frameSender, GREETING_BYTES, isGreeting } from './frames.js';
import { AmqpParser } from './parser.js';

export const amqpProtocol: Protocol<AmqpDetail> = {
  name: 'amqp',
  title: 'AMQP 0-9-1',
  convention: 'messaging',
  system: 'rabbitmq',
  transports: ['tcp'],
  ports: [5672],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `message header \`${name}\``),
  capture: { request: { head: 1024, tail: 0 }, response: { head: 1024, tail: 0 } },
  docs: {
    parsed:
      'All methods of RabbitMQ on any number of channels: publishing with and without confirms, deliveries until they are acknowledged or rejected, `basic.get`, declarations, returned messages, closing with its reason',
    spanName:
      '`publish {exchange}:{routing key}`, `deliver {exchange}:{routing key}:{queue}`, `get {queue}`, or `{class}.{method} {name}`; what looks like an id in a name is `{id}`',
    attributes: AMQP_ATTRIBUTES,
    errors:
      'the reply code of `channel.close`, `connection.close` and `basic.return` (`404`, `312`); `nack` and `reject`; `reset` for what a closing channel leaves open; `no_response`',
    limits: [
      'AMQP 1.0 is another protocol and is not parsed.',
      'Without confirms nobody answers a message: its span ends with its last byte, and an error appears at `channel.close`.',
      'The context of a message that was fetched with `basic.get` is not shown: it belongs to the answer.',
      'After missed bytes of a publisher the count of its messages is lost, and confirms are not paired any more.',
    ],
  },

  recognise,
  createParser: (host) => new AmqpParser(host),
  describe: describeAmqp,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  if (first === 0x41) {
    if (from === 'server' || !isGreeting(bytes, start, end)) return NOT_OURS;
    return end - start >= GREETING_BYTES ? CERTAIN : UNDECIDED;
  }
  if (first > FRAME.heartbeat || end - start < FRAME_HEADER) return NOT_OURS;
  const sender = frameSender(bytes, start, end);
  if (sender === 0) return NOT_OURS;
  const whole = start + FRAME_HEADER + bytes.readUInt32BE(start + 3) + 1 <= end;
  // Frames without a method are few bytes that fit, and say nothing of who sent them.
  const sure = first !== FRAME.method ? (whole ? POSSIBLE : UNDECIDED) : whole ? CERTAIN : LIKELY;
  if (sender === 2) return from === 'server' ? -sure : from === 'client' ? sure : Math.min(sure, UNDECIDED);
  if (from !== undefined && from !== (sender === 1 ? 'client' : 'server')) return NOT_OURS;
  return sender * sure;
}
