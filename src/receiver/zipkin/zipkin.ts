import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { countSpans } from '../../otlp/count.js';
import { Intake, Refusal, requestMemory } from '../../pipeline/intake.js';
import { ReceiverServers, requestBudget } from '../../pipeline/receiver-servers.js';
import {
  BodyError,
  type HttpBody,
  type HttpBodyLimits,
  lossOf,
  readHttpBody,
} from '../../transport/http-body.js';
import {
  answer,
  answerText,
  answerUnread,
  bodyLimitsOf,
  HttpListener,
  isGone,
} from '../../transport/http-listener.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import { ZipkinError } from '../../zipkin/model.js';
import type { ZipkinReceiverConfig } from './config.js';
import { readV1Json } from './v1-json.js';
import { readV1Thrift } from './v1-thrift.js';
import { encodeV1Spans } from './v1-to-otlp.js';
import { readV2Json } from './v2-json.js';
import { readV2Protobuf } from './v2-protobuf.js';
import { encodeZipkinSpans } from './v2-to-otlp.js';

/** What a request holds, by its path and content type; the names are a Collector's `transport` label. */
type Encoding = 'http_v1_thrift' | 'http_v1_json' | 'http_v2_json' | 'http_v2_proto';

const ENCODINGS = 4;
const TEXT = 'text/plain; charset=utf-8';

/** Receives spans of Zipkin clients over HTTP, at any path and with any method, as a Collector does. */
export class ZipkinReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: ZipkinReceiverConfig;
  readonly #intake: Intake | undefined;
  readonly #servers: ReceiverServers;
  #listener: HttpListener | undefined;

  constructor(settings: Settings, config: ZipkinReceiverConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.#servers = new ReceiverServers(settings);
    const { traces } = next;
    if (traces !== undefined) this.#intake = new Intake('traces', traces, settings, requestMemory());
  }

  /** Where it listens; null before `start`. A path for a unix socket. */
  get address(): AddressInfo | string | null {
    return this.#servers.address('http');
  }

  /** Rejects when a certificate can't be read or the address can't be bound. */
  async start(host: Host): Promise<void> {
    const config = this.#config;
    this.#settings.metrics.gauge('transports', ENCODINGS);
    const limits = bodyLimitsOf(config, requestBudget(host, config.max_in_flight_mib));
    this.#listener = await this.#servers.open(
      'http',
      config,
      host,
      (parts) =>
        new HttpListener({
          ...parts,
          config,
          handle: (request, response) => void this.#onRequest(request, response, limits),
        }),
    );
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#servers.shutdown(deadline);
  }

  async #onRequest(
    request: IncomingMessage,
    response: ServerResponse,
    limits: HttpBodyLimits,
  ): Promise<void> {
    const encoding = encodingOf(request);
    const intake = this.#intake;
    let body: HttpBody | undefined;
    try {
      body = await readHttpBody(request, limits);
      const bytes = this.#convert(encoding, body.bytes);
      const itemCount = countSpans(bytes);
      if (itemCount > 0) {
        await intake?.deliver({
          bytes,
          itemCount,
          transport: encoding,
          connection: this.#listener?.connectionOf(request),
          metadata: this.#config.include_metadata ? requestMetadata(request.headers) : undefined,
        });
      }
      answer(response, 202, undefined, '');
    } catch (error) {
      this.#refuse(request, response, encoding, error);
    } finally {
      body?.release();
    }
  }

  /** Throws `ZipkinError`. */
  #convert(encoding: Encoding, body: Uint8Array): Uint8Array {
    const parse = this.#config.parse_string_tags;
    switch (encoding) {
      case 'http_v1_thrift':
        return encodeV1Spans(readV1Thrift(body), this.#settings.now());
      case 'http_v1_json':
        return encodeV1Spans(readV1Json(body, parse), this.#settings.now());
      case 'http_v2_proto':
        return encodeZipkinSpans(readV2Protobuf(body), parse);
      case 'http_v2_json':
        return encodeZipkinSpans(readV2Json(body), parse);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, encoding: Encoding, error: unknown): void {
    if (error instanceof BodyError) {
      const loss = lossOf(error);
      if (error.reason === 'busy') this.#intake?.refusedCall(error, encoding);
      else if (loss !== undefined) this.#intake?.lost(loss, encoding);
    } else if (error instanceof ZipkinError) this.#intake?.lost('malformed', encoding);
    if (isGone(request, response)) return;
    if (error instanceof BodyError) {
      const status = error.reason === 'busy' ? 503 : 400;
      if (error.unread) answerUnread(request, response, status, TEXT, `${error.message}\n`);
      else answerText(response, status, error.message);
    } else if (error instanceof ZipkinError) answerText(response, 400, error.message);
    else if (error instanceof Refusal && error.permanent) answer(response, 400, TEXT, '"Bad Request"');
    else {
      if (!(error instanceof Refusal)) this.#failed(error, encoding);
      answer(response, 500, TEXT, '"Internal Server Error"');
    }
  }

  /** A bug: the client is told to come back, and the log has where. */
  #failed(error: unknown, encoding: Encoding): void {
    this.#intake?.lost('malformed', encoding);
    this.#settings.logger.error('Reading a request failed in an unexpected way. The client has been told.', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

function encodingOf({ url = '/', headers }: IncomingMessage): Encoding {
  const type = headers['content-type'];
  if (/^[^?#]*api\/v1\/spans/.test(url)) {
    return type === 'application/x-thrift' ? 'http_v1_thrift' : 'http_v1_json';
  }
  return type === 'application/x-protobuf' ? 'http_v2_proto' : 'http_v2_json';
}
