/** Where a message's body ends, RFC 9112 section 6.3. */
import type { MessageHead } from './head.js';

export type Framing =
  /** No body: the message ends with its head. */
  | 'none'
  /** `contentLength` bytes. */
  | 'length'
  | 'chunked'
  /** The body ends with the connection. */
  | 'close'
  /** A head that contradicts itself or was cut: only what happens next on the connection tells. */
  | 'unknown'
  /** 1xx: the final response is still to come. */
  | 'interim'
  /** The connection is no longer HTTP after this message. */
  | 'tunnel';

export function requestFraming(head: MessageHead): Framing {
  if (head.transferEncoding) return head.chunked ? 'chunked' : 'unknown';
  return lengthFraming(head) ?? 'none';
}

/** `method` is that of the request, or '' when it is not known. */
export function responseFraming(head: MessageHead, method: string): Framing {
  const status = head.statusCode;
  if (status === 101) return 'tunnel';
  if (status < 200) return 'interim';
  if (method === 'CONNECT' && status < 300) return 'tunnel';
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (head.transferEncoding) return head.chunked ? 'chunked' : 'close';
  return lengthFraming(head) ?? 'close';
}

function lengthFraming(head: MessageHead): Framing | undefined {
  if (head.contentLength === -1) return undefined;
  if (head.contentLength === -2) return 'unknown';
  return head.contentLength === 0 ? 'none' : 'length';
}
