import type { AddressInfo } from 'node:net';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { parseEndpoint } from '../../config/fields.js';
import type { HttpServerConfig } from '../../config/server-fields.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { Intake, requestMemory } from '../../pipeline/intake.js';
import { grpcServerOf, ReceiverServers, requestBudget } from '../../pipeline/receiver-servers.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import { DatagramServer } from '../../transport/datagram-server.js';
import type { UnaryMethod } from '../../transport/grpc-server.js';
import { GRPC_STATUS, RpcError } from '../../transport/grpc-status.js';
import { bodyLimitsOf, HttpListener } from '../../transport/http-listener.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import type { JaegerReceiverConfig, JaegerUdpConfig } from './config.js';
import { type DatagramEncoding, Datagrams } from './datagrams.js';
import { readPostSpans } from './proto.js';
import { SAMPLING_METHOD, Sampling } from './sampling.js';
import { handleThriftHttp } from './thrift-http.js';
import { encodeJaegerBatch } from './to-otlp.js';

export type JaegerProtocol = 'grpc' | 'thrift_http' | 'thrift_binary' | 'thrift_compact' | 'sampling';

const POST_SPANS = '/jaeger.api_v2.CollectorService/PostSpans';
const NOTHING = new Uint8Array(0);

/** Receives spans of Jaeger clients, as Jaeger's collector and its agent do. */
export class JaegerReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: JaegerReceiverConfig;
  readonly #intake: Intake;
  readonly #servers: ReceiverServers;
  readonly #sampling: Sampling | undefined;

  constructor(settings: Settings, config: JaegerReceiverConfig, next: ReceiverOutputs) {
    const { sampling } = config.protocols;
    this.#settings = settings;
    this.#config = config;
    this.#servers = new ReceiverServers(settings);
    this.#sampling = sampling === undefined ? undefined : new Sampling(sampling.rate);
    if (next.traces === undefined) throw new TypeError('A jaeger receiver feeds traces.');
    this.#intake = new Intake('traces', next.traces, settings, requestMemory());
  }

  /** Where a protocol listens; null before `start` and for one that is off. A path for a unix socket. */
  address(protocol: JaegerProtocol): AddressInfo | string | null {
    return this.#servers.address(protocol);
  }

  /** Rejects when a certificate can't be read or an address can't be bound; nothing listens then. */
  async start(host: Host): Promise<void> {
    const { grpc, thrift_http, thrift_binary, thrift_compact, sampling } = this.#config.protocols;
    const protocols = [grpc, thrift_http, thrift_binary, thrift_compact];
    this.#settings.metrics.gauge('transports', protocols.filter((one) => one !== undefined).length);
    const budget = requestBudget(host, this.#config.max_in_flight_mib);
    try {
      if (thrift_binary !== undefined) await this.#openUdp('binary', thrift_binary, budget);
      if (thrift_compact !== undefined) await this.#openUdp('compact', thrift_compact, budget);
      if (thrift_http !== undefined) await this.#openHttp(thrift_http, host, budget);
      if (sampling !== undefined) await this.#openSampling(sampling, host);
      if (grpc !== undefined) {
        const methods = this.#methods(grpc.include_metadata);
        await this.#servers.open('grpc', grpc, host, (parts) => grpcServerOf(grpc, parts, budget, methods));
      }
    } catch (error) {
      await this.shutdown(AbortSignal.abort());
      throw error;
    }
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#servers.shutdown(deadline);
  }

  async #openHttp(config: HttpServerConfig, host: Host, budget: ByteBudget): Promise<void> {
    await this.#servers.open('thrift_http', config, host, (parts) => {
      const listener: HttpListener = new HttpListener({
        ...parts,
        config,
        handle: (request, response) => void handleThriftHttp(request, response, options),
      });
      const options = {
        intake: this.#intake,
        limits: bodyLimitsOf(config, budget),
        connectionOf: listener.connectionOf.bind(listener),
        keepMetadata: config.include_metadata,
        sampling: this.#sampling,
        onBug: (error: unknown) => this.#onBug(error),
      };
      return listener;
    });
  }

  async #openSampling(config: HttpServerConfig, host: Host): Promise<void> {
    await this.#servers.open(
      'sampling',
      config,
      host,
      (parts) =>
        new HttpListener({
          ...parts,
          config,
          handle: (request, response) => this.#sampling?.answerHttp(request, response),
        }),
    );
  }

  async #openUdp(encoding: DatagramEncoding, config: JaegerUdpConfig, budget: ByteBudget): Promise<void> {
    const datagrams = new Datagrams(config, encoding, this.#intake, this.#settings, budget);
    const server = new DatagramServer({
      ...parseEndpoint(config.endpoint),
      socketBufferBytes: config.socket_buffer_size,
      onDatagram: (bytes, connection) => datagrams.take(bytes, connection),
      onError: (error) => {
        this.#settings.metrics.count('connection_errors', 1, { transport: datagrams.transport });
        this.#settings.logger.warn('A UDP socket failed.', { error: error.message });
      },
      idle: () => datagrams.idle(),
    });
    await this.#servers.add(`thrift_${encoding}`, server, config.endpoint);
  }

  #methods(keepMetadata: boolean): ReadonlyMap<string, UnaryMethod> {
    const methods = new Map([[POST_SPANS, this.#postSpans(keepMetadata)]]);
    if (this.#sampling !== undefined) methods.set(SAMPLING_METHOD, this.#sampling.method);
    return methods;
  }

  #postSpans(keepMetadata: boolean): UnaryMethod {
    const intake = this.#intake;
    return {
      async handle(message, connection, headers) {
        const { bytes, itemCount } = readRequest(message, intake);
        const metadata = keepMetadata ? requestMetadata(headers) : undefined;
        if (itemCount > 0)
          await intake.deliver({ bytes, itemCount, transport: 'grpc', connection, metadata });
        return NOTHING;
      },
      refused: (error) => intake.refusedCall(error, 'grpc'),
    };
  }

  #onBug(error: unknown): void {
    this.#settings.logger.error('Reading a request failed in an unexpected way. The client has been told.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

function readRequest(message: Uint8Array, intake: Intake): { bytes: Uint8Array; itemCount: number } {
  try {
    return encodeJaegerBatch(readPostSpans(message), 'protobuf');
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    intake.lost('malformed', 'grpc');
    throw new RpcError(GRPC_STATUS.INTERNAL, `grpc: error unmarshalling request: ${error.message}`);
  }
}
