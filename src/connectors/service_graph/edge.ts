export type ConnectionType = '' | 'messaging_system' | 'database' | 'virtual_node';

/** One request between two nodes, as far as the spans of its ends have told. */
export interface Edge {
  readonly traceId: string;
  /** Of the client's span; '' for the server span of a trace that begins there. */
  readonly spanId: string;
  /** Milliseconds of the connector's clock, when it gives up to wait. */
  readonly expiresAt: number;
  connectionType: ConnectionType;
  client: string | undefined;
  server: string | undefined;
  /** Seconds; undefined: that end has not told. */
  clientSeconds: number | undefined;
  serverSeconds: number | undefined;
  failed: boolean;
  /** The client says this of a server that has no spans. */
  peer: string | undefined;
  /** `client_…`, `server_…` */
  readonly dimensions: Record<string, string>;
  /** Which end had no spans. */
  virtualNode: 'client' | 'server' | undefined;
}
