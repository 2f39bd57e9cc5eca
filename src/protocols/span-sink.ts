import type { UrlTemplate } from './http/url-template.js';

/** What `Protocol.describe` fills in. Keys and values are those of the semantic conventions 1.44. */
export type SpanKindName = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type SpanValue = string | number | boolean | readonly string[];

export interface SpanSink {
  /** The end whose view this is: HTTP and RPC spans of a server and of a client differ. */
  readonly side: 'client' | 'server';
  /** HTTP: the template of the path, where one is known. */
  readonly urlTemplate?: UrlTemplate | undefined;
  /** What people call the protocol of this exchange: the declaration's name unless set (`grpc` over `http2`). */
  protocol: string;
  /** Low cardinality: never ids, paths, keys or values. */
  name: string;
  /** `side` unless set. */
  kind: SpanKindName;
  /**
   * Value of `error.type`, which also makes the span's status ERROR; undefined for a success. Already set when the
   * exchange is incomplete (`no_response`, `reset`); a parser that knows better may replace it.
   */
  errorType: string | undefined;
  /** Description of the status ERROR: the server's own message. Never set for what `errorType` says alone. */
  statusMessage: string | undefined;

  /** Sets an attribute; undefined and '' are left out. Numbers that are integers are ints. One call for each key. */
  put(key: string, value: SpanValue | undefined): void;

  /** `server.address` and `server.port` where the protocol names the server better than the connection does (`Host`). */
  server(address: string, port: number | undefined): void;

  /** The server by the connection's address, as it would stand in a URL: the port only when it is not `defaultPort`. */
  serverText(defaultPort: number): string;

  /** `network.protocol.name` and `.version` where they differ from the protocol's name. */
  network(protocolName: string, version: string | undefined): void;
}
