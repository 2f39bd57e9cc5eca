/**
 * Where Kindling answers otherwise than a Collector on the wire, and why that is better or no matter. Everything else must
 * be the same; an entry that no probe needs any more is an error too.
 */
export const KNOWN_WIRE_DIFFERENCES: readonly {
  readonly group: string;
  readonly id: RegExp;
  /** Of the Collector's answer as JSON; left out: any. */
  readonly collector?: RegExp;
  readonly why: string;
}[] = [
  ...['access', 'http-requests', 'json-bodies'].map((group) => ({
    group,
    id: /./,
    collector: /"failed to marshal error message"/,
    why: 'The Collector cannot put its own sentence into its answer; Kindling says what is wrong, with the status for it.',
  })),
  {
    group: 'access',
    id: /gRPC (garbage|no message) without/,
    why: 'Strangers are refused before anything of theirs is decompressed or decoded.',
  },
  {
    group: 'access',
    id: /gRPC two$/,
    why: 'Two different proofs of identity are none.',
  },
  {
    group: 'access',
    id: /gRPC "(Basic|Bearer) "/,
    why: 'Fields with spaces at their end are malformed (RFC 9113 section 8.2.1).',
  },
  {
    group: 'grpc-requests',
    id: /: (te: gzip|metadata with spaces|content type "application\/grpc ")$/,
    why: 'Malformed by RFC 9113 (sections 8.2.1 and 8.2.2): the stream is reset.',
  },
  {
    group: 'grpc-requests',
    id: /content type "(application\/grpc; ?charset=utf-8|APPLICATION\/GRPC)"/,
    why: 'Media types have no case, and a parameter does not become a subtype.',
  },
  {
    group: 'grpc-requests',
    id: /two grpc-timeouts/,
    why: 'Two times to wait are refused; the Collector takes one.',
  },
  {
    group: 'grpc-requests',
    id: /: (gzip|snappy|zstd)( not flagged| of nothing| empty| last byte changed)?$/,
    collector: /"grpc-encoding"/,
    why: 'A response of two bytes is not compressed.',
  },
  {
    group: 'grpc-requests',
    id: /: (a byte too many|two messages|two empty messages)$/,
    why: 'The Collector takes the first message and says that all is well; the rest is lost without a word.',
  },
  {
    group: 'grpc-requests',
    id: /gzip with garbage behind/,
    why: 'What is behind the last member is no header of gzip; the Collector calls it an early end.',
  },
  {
    group: 'http-requests',
    id: /plain: gzip (with garbage behind|a byte in the middle changed)$/,
    why: 'Other words for corrupt data.',
  },
  {
    group: 'http-requests',
    id: /plain: (post|BREW) /,
    why: 'Methods that Node.js does not know end the connection.',
  },
  {
    group: 'http-requests',
    id: /protobuf \w+ 3b3c$/,
    why: 'An unknown group is skipped, as protobuf wants; the Collector takes its end for an early end of the message.',
  },
  {
    group: 'http-requests',
    id: /small: snappy (JSON )?above the limit$/,
    why: 'Refused because of what was sent, before its announced length is looked at.',
  },
  {
    group: 'http-requests',
    id: /plain: (HTTP\/1\.2|line feeds alone|a folded header|length and chunked|a space before the colon)$/,
    why: 'Node.js is strict where requests can be smuggled past proxies (RFC 9112 sections 5 and 11.2).',
  },
  {
    group: 'http-requests',
    id: /plain: empty lines first$/,
    why: 'RFC 9112 section 2.2 wants empty lines before a request to be ignored.',
  },
  {
    group: 'http-requests',
    id: /plain: (length too long|a head alone)$/,
    why: 'The connection is closed, and the answer says so.',
  },
  { group: 'http-requests', id: /an HTTP\/2 preface/, why: 'The same with a text.' },
  {
    group: 'json-bodies',
    id: /\{"(traceId|spanId)":null\}|\{"bytesValue":null\}/,
    why: 'JSON of protobuf has null for every field; the Collector has it for most.',
  },
  {
    group: 'json-bodies',
    id: /\{"doubleValue":"1_0"\}/,
    why: 'Underscores are part of numbers in Go, not in JSON.',
  },
  {
    group: 'refusals',
    id: /gRPC \d+ with RetryInfo, /,
    collector: /Permanent error: /,
    why: 'Nobody is told when to come back with what is refused for good.',
  },
  {
    group: 'refusals',
    id: /RetryInfo of (no time|a part of a second), (HTTP|JSON)/,
    why: 'Retry-After is rounded up: 0 would call everybody back at once.',
  },
  {
    group: 'refusals',
    id: /HTTP (429|503) with Retry-After/,
    why: 'When to come back is passed on to the client; the Collector keeps it to itself.',
  },
];
