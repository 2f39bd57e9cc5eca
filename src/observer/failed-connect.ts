/**
 * A connect() that came to nothing is a call that failed, whatever would have been spoken: it becomes a client's exchange
 * without a request, with the reason in `error.type`.
 */

import { connectionErrorType } from '../protocols/connection-error.js';
import type { ConversationEnds } from '../protocols/conversation.js';
import { WireExchange } from '../protocols/exchange.js';
import { createMoment } from '../protocols/frame-reader.js';
import type { AnyProtocol } from '../protocols/protocol.js';
import { connectionSeed, createIdentity } from './span-identity.js';
import type { Exchange, NetCloseRecord } from './types.js';
import { NO_HTTP } from './wire-exchange.js';

const ECONNRESET = 104;

/** Its program closed the socket before there was an answer: it has waited long enough, or another address was faster. */
const ABANDONED = 'connect_abandoned';

/** Value of `error.type`. */
export const connectFailure = (errno: number): string =>
  errno === 0
    ? ABANDONED
    : (connectionErrorType(errno) ?? (errno === ECONNRESET ? 'reset' : 'connect_failed'));

/** No protocol of the wire: what a span says of a connection that never was. Not in the list. */
const CONNECT: AnyProtocol = {
  name: 'connect',
  title: 'connect()',
  convention: 'none',
  transports: ['tcp'],
  ports: [],
  pairing: 'one_way',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 0, tail: 0 }, response: { head: 0, tail: 0 } },
  docs: { parsed: '', spanName: '`connect`', attributes: ['error.type'], errors: '', limits: [] },
  recognise: () => 0,
  createParser: () => ({ read: () => {}, skip: () => {} }),
  describe({ error }, span) {
    span.name = 'connect';
    span.network('', undefined);
    span.errorType = connectFailure(error);
  },
};

/** `seed`: see `ExchangeLinks`. */
export function failedConnect(id: number, record: NetCloseRecord, seed: string): Exchange {
  const { tuple, tgid, time, error, socketCookie, tid = 0, connectStart = 0 } = record;
  const { localAddress, localPort, remoteAddress, remotePort } = tuple;
  const start = connectStart === 0 ? time : connectStart;
  const first = createMoment();
  first.time = start;
  first.tgid = tgid;
  first.tid = tid;
  const exchange = new WireExchange(CONNECT.name, {}, first, first, 0);
  exchange.error = error;
  exchange.incomplete = 'reset';
  exchange.over = true;
  exchange.responseStart = time;
  exchange.responseEnd = time;
  const ends: ConversationEnds = { transport: 'tcp', localAddress, localPort, remoteAddress, remotePort };
  // The port on this side was chosen after the socket's address was noted: the cookie stands for it.
  const place = connectionSeed(seed, `${localAddress} ${socketCookie}`, `${remoteAddress} ${remotePort}`);
  return {
    id,
    protocol: CONNECT.name,
    role: 'client',
    tgid,
    requestTid: tid,
    responseTid: tid,
    socketCookie,
    tuple,
    requestStart: start,
    requestEnd: start,
    responseStart: time,
    responseEnd: time,
    requestBytes: 0,
    responseBytes: 0,
    http: NO_HTTP,
    context: undefined,
    incomplete: 'reset',
    error,
    identity: createIdentity(place, start, 'client'),
    wire: { exchange, protocol: CONNECT, ends },
  };
}
