/**
 * OTLP/HTTP, protobuf and JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with the statuses, bodies and
 * headers of a Collector.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Signal } from '../../component/signal.js';
import { fromJson, InvalidJsonError } from '../../otlp/json-reader.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeStatus, exportResponseToJson, statusToJson } from '../../otlp/responses.js';
import type { Intake } from '../../pipeline/intake.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import { GRPC_STATUS, httpStatusOf, RpcError } from '../../transport/grpc-status.js';
import { BodyError, type HttpBody, type HttpBodyLimits, readHttpBody } from '../../transport/http-body.js';
import {
  answer,
  answerText,
  answerUnread,
  bodyLimitsOf,
  HttpListener,
  type HttpListenerOptions,
  isGone,
} from '../../transport/http-listener.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import type { OtlpHttpConfig } from './config.js';
import { acceptOtlp, EXPORT_RESPONSE } from './export-request.js';

type Encoding = 'application/x-protobuf' | 'application/json';

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';
const JSON_RESPONSE = Buffer.from(exportResponseToJson('traces'));

export interface OtlpHttpServerOptions extends Omit<HttpListenerOptions, 'handle' | 'unauthenticated'> {
  readonly config: OtlpHttpConfig;
  readonly intakes: readonly Intake[];
  readonly budget: ByteBudget;
}

export class OtlpHttpServer {
  readonly #config: OtlpHttpConfig;
  readonly #listener: HttpListener;
  readonly #limits: HttpBodyLimits;
  #routes: ReadonlyMap<string, Intake> = new Map();

  constructor(options: OtlpHttpServerOptions) {
    this.#config = options.config;
    this.serve(options.intakes);
    this.#limits = bodyLimitsOf(options.config, options.budget);
    this.#listener = new HttpListener({
      ...options,
      handle: (request, response) => void this.#onRequest(request, response),
      unauthenticated: refuseUnauthenticated,
    });
  }

  /** Where it listens, once `start` has resolved. */
  get address(): AddressInfo | string | null {
    return this.#listener.address;
  }

  /** Rejects when the address can't be bound. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Serves these signals and no others from now on. Requests that have begun go on. */
  serve(intakes: readonly Intake[]): void {
    this.#routes = new Map(intakes.map((intake) => [urlPathOf(intake.signal, this.#config), intake]));
  }

  /** Uses other certificates from now on. Only when the server was made with `tls`. */
  setSecureContext(context: SecureContextOptions): void {
    this.#listener.setSecureContext(context);
  }

  /** Stops intake, lets running requests end until `deadline` aborts, then cuts them. */
  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#listener.shutdown(deadline);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const clean = path.replace(/\/{2,}/g, '/');
    if (clean !== path) {
      answer(response, 301, undefined, '', { location: clean });
      return;
    }
    const intake = this.#routes.get(path);
    if (intake === undefined) {
      answerText(response, 404, '404 page not found');
      return;
    }
    if (request.method !== 'POST') {
      answer(response, 405, 'text/plain', '405 method not allowed, supported: [POST]');
      return;
    }
    const encoding = encodingOf(request.headers['content-type']);
    if (encoding === undefined) {
      const text = '415 unsupported media type, supported: [application/json, application/x-protobuf]';
      answer(response, 415, 'text/plain', text);
      return;
    }
    let body: HttpBody | undefined;
    try {
      body = await readHttpBody(request, this.#limits);
      const bytes = encoding === JSON_TYPE ? parseJson(intake, body.bytes) : body.bytes;
      const metadata = this.#config.include_metadata ? requestMetadata(request.headers) : undefined;
      await acceptOtlp(intake, bytes, 'http', this.#listener.connectionOf(request), metadata);
      answer(response, 200, encoding, encoding === JSON_TYPE ? JSON_RESPONSE : EXPORT_RESPONSE);
    } catch (error) {
      if (error instanceof BodyError) countBodyError(intake, error);
      refuse(request, response, encoding, error);
    } finally {
      body?.release();
    }
  }
}

/** A client that speaks OTLP is told in its own encoding. */
function refuseUnauthenticated(request: IncomingMessage, response: ServerResponse, problem: string): void {
  const encoding = encodingOf(request.headers['content-type']);
  const unread = new BodyError('malformed', problem, true);
  if (encoding !== undefined) {
    refuse(request, response, encoding, unread, new RpcError(GRPC_STATUS.UNAUTHENTICATED, problem));
  } else answer(response, 401, 'text/plain; charset=utf-8', `${problem}\n`);
}

function urlPathOf(signal: Signal, config: OtlpHttpConfig): string {
  const path = {
    traces: config.traces_url_path,
    metrics: config.metrics_url_path,
    logs: config.logs_url_path,
    profiles: '/v1development/profiles',
  }[signal];
  return path.startsWith('/') ? path : `/${path}`;
}

/** The media type without its parameters, when it is one of ours. */
function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === JSON_TYPE || type === PROTOBUF_TYPE ? type : undefined;
}

function parseJson(intake: Intake, body: Uint8Array): Uint8Array {
  try {
    return fromJson(intake.signal, body);
  } catch (error) {
    if (error instanceof InvalidJsonError) intake.lost('malformed', 'http');
    throw error;
  }
}

function countBodyError(intake: Intake, error: BodyError): void {
  if (error.reason === 'busy') intake.refusedCall(error, 'http');
  else if (error.reason !== 'aborted') intake.lost(error.reason, 'http');
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  error: unknown,
  status = statusOf(error),
): void {
  if (isGone(request, response)) return;
  const body = encoding === JSON_TYPE ? statusToJson(status) : encodeStatus(status);
  const { retryDelayMs } = status;
  const retryAfter =
    retryDelayMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryDelayMs / 1000))) };
  if (!(error instanceof BodyError && error.unread)) {
    answer(response, httpStatusOf(status.code), encoding, body, retryAfter);
    return;
  }
  answerUnread(request, response, httpStatusOf(status.code), encoding, body, retryAfter);
}

function statusOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isMalformed = error instanceof MalformedError || error instanceof InvalidJsonError;
  const code = isMalformed ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.INTERNAL;
  return new RpcError(code, message);
}
