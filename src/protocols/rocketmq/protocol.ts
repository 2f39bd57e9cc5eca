/** RocketMQ's remoting protocol (4.x, and 5.x but for its gRPC proxy). */
import { CERTAIN, LIKELY, NOT_OURS, type Protocol, type Side, type Verdict } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { describeRocketMq, ROCKETMQ_ATTRIBUTES, type RocketMqDetail } from './detail.js';
import { commandLength, isCommand, isResponse } from './header.js';
import { RocketMqParser } from './parser.js';

export const rocketMqProtocol: Protocol<RocketMqDetail> = {
  name: 'rocketmq',
  title: 'RocketMQ',
  convention: 'messaging',
  system: 'rocketmq',
  transports: ['tcp'],
  ports: [9876, 10_911, 10_909],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `message property \`${name}\``),
  capture: { request: { head: 2048, tail: 0 }, response: { head: 512, tail: 0 } },
  docs: {
    parsed:
      'Requests of clients to brokers and name servers by name, with JSON and binary headers: sending (also in batches and one-way), pulling and popping (shown as waiting where the broker may wait), acknowledging; what brokers ask of clients',
    spanName:
      '`send {topic}`, `pull {topic}`, `pop {topic}`, or the request in lower case: `get_routeinfo_by_topic {topic}`',
    attributes: ROCKETMQ_ATTRIBUTES,
    errors:
      'the response code by name (`TOPIC_NOT_EXIST`, `SYSTEM_BUSY`), or its number; nothing to pull and offsets that are not found are outcomes and no errors; `no_response`, `reset`',
    limits: [
      'RocketMQ 5 clients that speak gRPC are parsed as such.',
      'Headers that are longer than what is captured are counted (`not_captured`).',
      'Messages in the answer to a pull are not looked into: their contexts are not shown.',
      'Properties of messages in a batch stand in its body and are not read.',
    ],
  },

  recognise,
  createParser: (host) => new RocketMqParser(host),
  describe: describeRocketMq,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  // No command is longer than 16 MiB, and there are two serializations.
  if (bytes[start] !== 0 || end - start < 9 || bytes[start + 4]! > 1) return NOT_OURS;
  if (commandLength(bytes, start, end) <= 0 || !isCommand(bytes, start, end)) return NOT_OURS;
  // Only binary headers without a visible end may be something else.
  const sure = bytes[start + 4] === 0 ? CERTAIN : LIKELY + 15;
  if (from !== undefined) return from === 'client' ? sure : -sure;
  return isResponse(bytes, start, end) === true ? -sure : sure;
}
