/** Dubbo 2. Dubbo 3's Triple is gRPC on HTTP/2 and parsed as such. */
import { CERTAIN, LIKELY, NOT_OURS, type Protocol, type Side, UNDECIDED, type Verdict } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { DUBBO_ATTRIBUTES, type DubboDetail, describeDubbo } from './detail.js';
import { dubboLength, FLAG } from './header.js';
import { DubboParser } from './parser.js';

export const dubboProtocol: Protocol<DubboDetail> = {
  name: 'dubbo',
  title: 'Dubbo 2',
  convention: 'rpc',
  system: 'dubbo',
  transports: ['tcp'],
  ports: [20_880],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `attachment \`${name}\``),
  capture: { request: { head: 2048, tail: 0 }, response: { head: 256, tail: 0 } },
  docs: {
    parsed:
      'Calls and one-way calls, calls back from the server, generic calls by the method that they name, with Hessian 2, fastjson2 (JSONB) and fastjson bodies',
    spanName: '`{service}/{method}`',
    attributes: DUBBO_ATTRIBUTES,
    errors:
      'every status but `OK` for the client, and for the server those that are not the fault of the caller (`BAD_REQUEST`, `CLIENT_ERROR`, `CLIENT_TIMEOUT`); the class of an exception that the method throws; `no_response`, `reset`',
    limits: [
      'Heartbeats and read-only events are no exchanges.',
      'Bodies of other serializations (Protobuf, Kryo, MessagePack, …) give a span named `dubbo`.',
      'Attachments stand behind the arguments: the context is found when it is among the captured bytes.',
    ],
  },

  recognise,
  createParser: (host) => new DubboParser(host),
  describe: describeDubbo,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const length = dubboLength(bytes, start, end);
  if (length < 0) return NOT_OURS;
  if (length === 0) return end - start < 2 ? UNDECIDED : from === 'server' ? -LIKELY : LIKELY;
  const flags = bytes[start + 2]!;
  const isRequest = (flags & FLAG.request) !== 0;
  if (isRequest && bytes[start + 3] !== 0) return NOT_OURS;
  if (!isRequest && (flags & FLAG.twoWay) !== 0) return NOT_OURS;
  // Events are asked and answered by both ends: they say what is spoken, and of who speaks little.
  if ((flags & FLAG.event) !== 0 && from === undefined) return isRequest ? UNDECIDED : -UNDECIDED;
  if (from !== undefined) return from === 'client' ? CERTAIN : -CERTAIN;
  return isRequest ? CERTAIN : -CERTAIN;
}
