/** Exchanges of the protocols in `src/protocols`, as the observer and the join see them. */
import type { Conversation } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { HttpDetail } from '../protocols/http/describe.js';
import type { AnyProtocol } from '../protocols/protocol.js';
import type { Connection } from './connection.js';
import type { TlsView } from './tls/tls-join.js';
import type { Exchange } from './types.js';

/** Of exchanges that are no HTTP. */
export const NO_HTTP: Exchange['http'] = {
  method: '',
  path: '',
  query: undefined,
  host: undefined,
  userAgent: undefined,
  statusCode: 0,
  version: '',
};

/** What others see of a finished exchange of `conversation`. `tls`: it travelled inside TLS. */
export function fromWire(
  id: number,
  connection: Connection,
  conversation: Conversation,
  protocol: AnyProtocol,
  exchange: WireExchange,
  tls: TlsView | undefined,
): Exchange {
  const { detail, requestEnd } = exchange;
  // One-way: nothing follows the request.
  const answered = exchange.responseStart !== 0;
  return {
    id,
    protocol: exchange.protocol,
    role: receivingRole(connection.side ?? 'client', exchange),
    tgid: exchange.tgid,
    requestTid: exchange.requestTid,
    responseTid: exchange.responseTid,
    socketCookie: connection.cookie,
    tuple: connection.tuple,
    requestStart: exchange.requestStart,
    requestEnd,
    responseStart: answered ? exchange.responseStart : requestEnd,
    responseEnd: answered ? exchange.responseEnd : requestEnd,
    requestBytes: exchange.requestBytes,
    responseBytes: exchange.responseBytes,
    http: protocol.convention === 'http' ? (detail as HttpDetail) : NO_HTTP,
    context: exchange.context,
    incomplete: exchange.incomplete,
    ...(exchange.error === 0 ? {} : { error: exchange.error }),
    identity: exchange.identity,
    ...(tls === undefined ? {} : { tls }),
    wire: { exchange, protocol, ends: conversation.ends },
  };
}

/** Whose view an exchange has: what the server pushes is received by the end that opened the connection. Its own inverse. */
export function receivingRole(side: 'client' | 'server', { pushed }: WireExchange): 'client' | 'server' {
  if (!pushed) return side;
  return side === 'client' ? 'server' : 'client';
}
