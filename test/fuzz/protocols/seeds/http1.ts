import type { Seed } from '../seed.js';

const TRACEPARENT = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n';

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 0,
    steps: [
      [
        'client',
        `GET /orders/17?verbose=1 HTTP/1.1\r\nHost: shop.test:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n${TRACEPARENT}\r\n`,
      ],
      [
        'server',
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Tue, 05 May 2026 10:00:00 GMT\r\nConnection: keep-alive\r\nContent-Length: 13\r\n\r\n{"id":17,"x"}',
      ],
    ],
  },
  {
    repeatFrom: 0,
    steps: [
      ['client', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
      ['client', '0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n'],
      ['server', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
      ['server', 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone'],
    ],
  },
  {
    steps: [
      ['client', 'PUT /f HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'],
      ['server', 'HTTP/1.1 100 Continue\r\n\r\n'],
      ['client', 'hello'],
      ['server', 'HTTP/1.0 204 No Content\r\nConnection: close\r\n\r\n'],
    ],
  },
  {
    steps: [
      ['client', 'GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
      ['server', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
      ['client', new Uint8Array([0x81, 0x82, 1, 2, 3, 4, 5, 6])],
    ],
  },
];
