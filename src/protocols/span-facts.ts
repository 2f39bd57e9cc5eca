/** A span as `Protocol.describe` fills it in, with what every span has: the ends of the connection. */
import { connectionErrorType } from './connection-error.js';
import type { ConversationEnds } from './conversation.js';
import type { WireExchange } from './exchange.js';
import type { UrlTemplate } from './http/url-template.js';
import type { ProtocolOptions } from './options.js';
import type { AnyProtocol } from './protocol.js';
import type { SpanKindName, SpanSink, SpanValue } from './span-sink.js';

/** Reusable: `describe` overwrites everything. */
export class SpanFacts implements SpanSink {
  side: 'client' | 'server' = 'client';
  urlTemplate: UrlTemplate | undefined;
  protocol = '';
  name = '';
  kind: SpanKindName = 'client';
  errorType: string | undefined;
  statusMessage: string | undefined;
  /** In the order in which they were put. */
  readonly attributes = new Map<string, SpanValue>();
  #serverAddress = '';
  #serverPort: number | undefined;
  #protocolName = '';
  #protocolVersion: string | undefined;

  describe(
    protocol: AnyProtocol,
    exchange: WireExchange,
    ends: ConversationEnds,
    side: 'client' | 'server',
    options: ProtocolOptions,
    urlTemplate?: UrlTemplate,
  ): this {
    const isClient = side === 'client';
    this.side = side;
    this.urlTemplate = urlTemplate;
    this.kind = side;
    this.protocol = protocol.name;
    this.name = '';
    this.statusMessage = undefined;
    const { incomplete, error } = exchange;
    const unanswered = incomplete === 'no_response' || incomplete === 'reset';
    this.errorType = unanswered ? (connectionErrorType(error) ?? incomplete) : undefined;
    this.attributes.clear();
    this.#serverAddress = isClient ? ends.remoteAddress : ends.localAddress;
    this.#serverPort = isClient ? ends.remotePort : ends.localPort;
    this.#protocolName = protocol.name;
    this.#protocolVersion = undefined;
    protocol.describe(exchange, this, options);
    if (this.name === '') this.name = protocol.system ?? protocol.name;
    this.put('server.address', this.#serverAddress);
    this.put('server.port', ends.transport === 'unix' ? undefined : this.#serverPort);
    if (ends.transport !== 'unix') {
      this.put('network.peer.address', ends.remoteAddress);
      this.put('network.peer.port', ends.remotePort);
      if (!isClient) this.put('client.address', ends.remoteAddress);
    }
    this.put('network.transport', ends.transport);
    this.put('network.protocol.name', this.#protocolName);
    this.put('network.protocol.version', this.#protocolVersion);
    this.put('error.type', this.errorType);
    return this;
  }

  put(key: string, value: SpanValue | undefined): void {
    if (value === undefined || value === '' || (typeof value === 'object' && value.length === 0)) return;
    this.attributes.set(key, value);
  }

  server(address: string, port: number | undefined): void {
    this.#serverAddress = address;
    this.#serverPort = port;
  }

  serverText(defaultPort: number): string {
    const address = this.#serverAddress;
    const port = this.#serverPort === defaultPort ? '' : `:${this.#serverPort ?? defaultPort}`;
    return `${address.includes(':') ? `[${address}]` : address}${port}`;
  }

  network(protocolName: string, version: string | undefined): void {
    this.#protocolName = protocolName;
    this.#protocolVersion = version;
  }
}
