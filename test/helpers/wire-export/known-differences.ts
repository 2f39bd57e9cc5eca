/**
 * Where Kindling's exporters do otherwise than a Collector's, and why. Everything else must be the same; an entry that no
 * script needs any more is an error too.
 */
export const KNOWN_EXPORT_DIFFERENCES: readonly { readonly id: RegExp; readonly why: string }[] = [
  {
    id: /partial success/,
    why: 'Rejected items are counted as failed, and partial success is understood without a content type too.',
  },
  { id: /^gRPC gzip$/, why: 'A partial success: the rejected item is counted as failed.' },
  {
    id: /^HTTP 200 (garbage|of 100 kB)|^gRPC (garbage|no message|OK in trailers alone)$/,
    why: 'The backend has said that it took the data; the Collector drops and counts as failed what arrived.',
  },
  { id: /^HTTP 200 in gzip$/, why: 'Compressed answers are not asked for, and not read.' },
  {
    id: /^HTTP 200 (in chunks that break off|that breaks off|that is reset)$/,
    why: 'The backend may have died before it kept the data: it is sent again instead of dropped.',
  },
  {
    id: /^HTTP \d+ with a status in JSON$/,
    why: 'The reason is shown whatever form it comes in.',
  },
  { id: /^HTTP \d+ with a status of RetryInfo$/, why: 'Details are not printed.' },
  {
    id: /^HTTP (429|503) Retry-After "(0|-1|Fri.*)"$/,
    why: 'No time to wait is no throttle.',
  },
  {
    id: /^HTTP (nothing and close|nothing and reset|half a head|garbage|silence)$|^gRPC (silence|GOAWAY)$/,
    why: 'Connections that fail have the words of Node.js, and time limits say how long they were.',
  },
  {
    id: /^HTTP (302|303) to itself$|^HTTP 307 to nowhere$/,
    why: 'The Collector follows with a GET, loses the data and counts it as sent; and it takes credentials to other servers.',
  },
  {
    id: /^gRPC 14 with details (that are none|of another code)$/,
    why: 'A status that can be retried is, whatever its details are.',
  },
  { id: /^gRPC (no status|no trailers)$/, why: 'The Collector says nothing about why.' },
  { id: /^gRPC status "-1"$/, why: 'Another name for a code that does not exist.' },
  { id: /^gRPC HTTP (503|200) with a page$/, why: 'The page is not printed.' },
];
