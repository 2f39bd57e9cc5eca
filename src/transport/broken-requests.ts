/**
 * What connections are told whose bytes are not HTTP, in the words of Go's server. What Node.js would say has no body, and
 * cuts off the answer to the request before.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Emitted on a request whose body broke off, with the reason. */
export const BROKEN_BODY = 'kindling:broken';
/** The reason when the client stopped sending. */
export const CUT = 'unexpected EOF';

interface OpenRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ \S+ HTTP\/1\.[01]\r?\n/;
const OTHER_VERSION = /^\S+ \S+ HTTP\/(?!1\.)\d+\.\d+\r?\n/;

/** Knows the request that runs on each connection, and answers on the others. */
export class BrokenRequests {
  readonly #open = new WeakMap<Duplex, OpenRequest>();

  opened(request: IncomingMessage, response: ServerResponse): void {
    this.#open.set(request.socket, { request, response });
  }

  /** Listener for `clientError`. */
  readonly onClientError = (error: ParserError, socket: Duplex): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const open = this.#open.get(socket);
    if (open === undefined || open.response.writableFinished) {
      socket.end(answerTo(error));
      return;
    }
    const { request, response } = open;
    response.shouldKeepAlive = false;
    if (request.complete) {
      // The request is fine, what follows it is not.
      response.once('close', () => socket.end(answerTo(error)));
      return;
    }
    const isEnd = error.code === 'HPE_INVALID_EOF_STATE';
    request.emit(BROKEN_BODY, isEnd ? CUT : 'invalid byte in chunk length');
  };
}

function answerTo(error: ParserError): string {
  const { status, text = status } = responseTo(error);
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`;
}

function responseTo({ code, rawPacket }: ParserError): { status: string; text?: string } {
  const head = rawPacket?.subarray(0, 4096).toString('latin1') ?? '';
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: '431 Request Header Fields Too Large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: '408 Request Timeout' };
    case 'HPE_INVALID_METHOD':
      // A method that Node.js does not know is refused as those that it knows.
      return REQUEST_LINE.test(head)
        ? { status: '405 Method Not Allowed', text: '405 method not allowed, supported: [POST]' }
        : { status: '400 Bad Request' };
    case 'HPE_INVALID_VERSION':
      return OTHER_VERSION.test(head)
        ? {
            status: '505 HTTP Version Not Supported',
            text: '505 HTTP Version Not Supported: unsupported protocol version',
          }
        : { status: '400 Bad Request' };
    default:
      return { status: '400 Bad Request' };
  }
}
