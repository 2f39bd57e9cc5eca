/** HTTP/1.0 and 1.1 (RFC 9110, RFC 9112). */
import { describeHttp, HTTP_ATTRIBUTES, type HttpDetail } from '../http/describe.js';
import { CERTAIN, LIKELY, NOT_OURS, type Protocol, UNDECIDED } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { HeadParser } from './head-parser.js';
import { Http1Parser } from './parser.js';
import { isProbableRequest, startKind } from './start-line.js';

/** Holds no state of any connection: one for the thread. */
const heads = new HeadParser();

export const http1Protocol: Protocol<HttpDetail> = {
  name: 'http1',
  title: 'HTTP/1.x',
  convention: 'http',
  transports: ['tcp', 'unix'],
  ports: [80, 3000, 5000, 8000, 8080, 8081, 8888, 9090],
  pairing: 'in_order',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `header \`${name}\``),
  capture: { request: { head: 1024, tail: 8 }, response: { head: 256, tail: 8 } },
  docs: {
    parsed:
      'HTTP/1.0 and 1.1: every method, pipelining, chunked and until-close bodies, `100 Continue`, `CONNECT`, upgrades (`h2c` is followed, WebSocket ends at its handshake)',
    spanName: '`{method} {template}`, `{method}` where no template is known; `HTTP` for unknown methods',
    attributes: HTTP_ATTRIBUTES,
    errors: 'client: status 400 and above; server: 500 and above; `no_response`, `reset`',
    limits: [
      'No route is known from the wire, so `http.route` is never set.',
      'A head of more than 64 KiB is not believed (`malformed`).',
      'When requests are pipelined and bytes between them are lost, responses up to the next quiet moment are dropped (`not_captured`), because nothing says whose they are.',
    ],
  },

  recognise(bytes, start, end) {
    const kind = startKind(bytes, start, end);
    switch (kind) {
      case 'request':
        return CERTAIN;
      case 'response':
        return -CERTAIN;
      case 'undecided':
        if (isProbableRequest(bytes, start, end)) return end - start > 64 ? CERTAIN : LIKELY;
        return UNDECIDED;
      case 'other':
        return NOT_OURS;
    }
  },

  createParser: (host) => new Http1Parser(host, heads),
  describe: describeHttp,
};
