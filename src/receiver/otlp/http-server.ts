/**
 * OTLP/HTTP, protobuf and JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with the statuses, bodies and
 * headers of a Collector.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Signal } from '../../component/signal.js';
import { fromJson, InvalidJsonError } from '../../otlp/json-reader.js';
import { exportResponseToJson } from '../../otlp/responses.js';
import type { Intake } from '../../pipeline/intake.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import {
  BodyError,
  encodingProblem,
  type HttpBody,
  type HttpBodyLimits,
  lossOf,
  readHttpBody,
} from '../../transport/http-body.js';
import {
  answer,
  answerText,
  bodyLimitsOf,
  HttpListener,
  type HttpListenerOptions,
  type HttpTarget,
} from '../../transport/http-listener.js';
import { Routes } from '../../transport/http-target.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import type { OtlpHttpConfig } from './config.js';
import { acceptOtlp, EXPORT_RESPONSE } from './export-request.js';
import { answerRedirect, type Encoding, JSON_TYPE, refuse } from './http-answer.js';
import { answerEncoding, encodingOf } from './http-request.js';

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
  #routes = new Routes<Intake>([]);

  constructor(options: OtlpHttpServerOptions) {
    this.#config = options.config;
    this.serve(options.intakes);
    this.#limits = bodyLimitsOf(options.config, options.budget);
    this.#listener = new HttpListener({
      ...options,
      handle: (request, response, target) => void this.#route(request, response, target),
      unauthenticated: (request, response, problem) => void refuseUnauthenticated(request, response, problem),
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
    this.#routes = new Routes(
      intakes.map((intake) => [urlPathOf(intake.signal, this.#config), intake] as const),
    );
  }

  /** Uses other certificates from now on. Only when the server was made with `tls`. */
  setSecureContext(context: SecureContextOptions): void {
    this.#listener.setSecureContext(context);
  }

  /** Stops intake, lets running requests end until `deadline` aborts, then cuts them. */
  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#listener.shutdown(deadline);
  }

  async #route(request: IncomingMessage, response: ServerResponse, target: HttpTarget): Promise<void> {
    const intake = target.kind === 'path' ? this.#routes.find(target.path) : undefined;
    const problem = encodingProblem(request, this.#limits.encodings);
    const answered = problem === undefined ? undefined : answerEncoding(request);
    if (problem !== undefined && answered !== undefined) {
      intake?.lost('malformed', 'http');
      await refuse(request, response, answered, problem);
    } else if (target.kind === 'redirect') answerRedirect(request, response, target.location);
    else if (intake === undefined) {
      if (this.#routes.isTree(target.path)) answerRedirect(request, response, `${target.path}/`);
      else answerText(response, 404, '404 page not found');
    } else if (request.method !== 'POST') {
      answer(response, 405, 'text/plain', '405 method not allowed, supported: [POST]');
    } else {
      const encoding = encodingOf(request);
      if (encoding !== undefined) await this.#accept(request, response, intake, encoding);
      else {
        const text = '415 unsupported media type, supported: [application/json, application/x-protobuf]';
        answer(response, 415, 'text/plain', text);
      }
    }
  }

  async #accept(
    request: IncomingMessage,
    response: ServerResponse,
    intake: Intake,
    encoding: Encoding,
  ): Promise<void> {
    let body: HttpBody | undefined;
    try {
      body = await readHttpBody(request, this.#limits);
      const bytes = encoding === JSON_TYPE ? parseJson(intake, body.bytes) : body.bytes;
      const metadata = this.#config.include_metadata ? requestMetadata(request.headers) : undefined;
      await acceptOtlp(intake, bytes, 'http', this.#listener.connectionOf(request), metadata);
      answer(response, 200, encoding, encoding === JSON_TYPE ? JSON_RESPONSE : EXPORT_RESPONSE);
    } catch (error) {
      if (error instanceof BodyError) countBodyError(intake, error);
      await refuse(request, response, encoding, error);
    } finally {
      body?.release();
    }
  }
}

/** A client that speaks OTLP is told in its own encoding. */
async function refuseUnauthenticated(
  request: IncomingMessage,
  response: ServerResponse,
  problem: string,
): Promise<void> {
  const encoding = answerEncoding(request);
  if (encoding !== undefined) {
    await refuse(request, response, encoding, new BodyError('unauthenticated', problem, true));
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

function parseJson(intake: Intake, body: Uint8Array): Uint8Array {
  try {
    return fromJson(intake.signal, body);
  } catch (error) {
    if (error instanceof InvalidJsonError) intake.lost('malformed', 'http');
    throw error;
  }
}

function countBodyError(intake: Intake, error: BodyError): void {
  const loss = lossOf(error);
  if (error.reason === 'busy') intake.refusedCall(error, 'http');
  else if (loss !== undefined) intake.lost(loss, 'http');
}
