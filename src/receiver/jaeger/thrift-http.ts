/** `POST /api/traces`: a batch in binary Thrift, with the statuses and texts of a Collector. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Intake } from '../../pipeline/intake.js';
import { Refusal } from '../../pipeline/intake.js';
import { ThriftBinaryReader } from '../../thrift/binary-reader.js';
import { ThriftError } from '../../thrift/thrift-error.js';
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
  type HttpListener,
  isGone,
} from '../../transport/http-listener.js';
import { requestMetadata } from '../../transport/request-metadata.js';
import { parseMediaType } from './media-type.js';
import type { Sampling } from './sampling.js';
import { readBatch } from './thrift.js';
import { encodeJaegerBatch } from './to-otlp.js';

const TRANSPORT = 'collector_http';
const FORMATS: ReadonlySet<string> = new Set([
  'application/x-thrift',
  'application/vnd.apache.thrift.binary',
]);

export interface ThriftHttpOptions {
  readonly intake: Intake;
  readonly limits: HttpBodyLimits;
  readonly connectionOf: HttpListener['connectionOf'];
  readonly keepMetadata: boolean;
  /** Answers `/api/sampling`; left out: nobody does. */
  readonly sampling: Sampling | undefined;
  readonly onBug: (error: unknown) => void;
}

export async function handleThriftHttp(
  request: IncomingMessage,
  response: ServerResponse,
  options: ThriftHttpOptions,
): Promise<void> {
  const [path] = (request.url ?? '/').split('?', 1);
  if (path === '/api/sampling' && options.sampling !== undefined) {
    options.sampling.answerHttp(request, response);
    return;
  }
  if (path !== '/api/traces') {
    answerText(response, 404, '404 page not found');
    return;
  }
  if (request.method !== 'POST') {
    answer(response, 405, undefined, '');
    return;
  }
  let body: HttpBody | undefined;
  try {
    body = await readHttpBody(request, options.limits);
    await accept(request, response, body.bytes, options);
  } catch (error) {
    refuse(request, response, options, error);
  } finally {
    body?.release();
  }
}

async function accept(
  request: IncomingMessage,
  response: ServerResponse,
  body: Uint8Array,
  { intake, connectionOf, keepMetadata }: ThriftHttpOptions,
): Promise<void> {
  const media = parseMediaType(request.headers['content-type']);
  const problem =
    'problem' in media
      ? `Cannot parse content type: ${media.problem}`
      : FORMATS.has(media.type)
        ? undefined
        : `Unsupported content type: ${media.type}`;
  if (problem !== undefined) {
    intake.lost('malformed', TRANSPORT);
    answerText(response, 400, escapeHtml(problem));
    return;
  }
  const { bytes, itemCount } = encodeJaegerBatch(readBatch(new ThriftBinaryReader(body)), 'thrift');
  if (itemCount > 0) {
    await intake.deliver({
      bytes,
      itemCount,
      transport: TRANSPORT,
      connection: connectionOf(request),
      metadata: keepMetadata ? requestMetadata(request.headers) : undefined,
    });
  }
  answer(response, 202, undefined, '');
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { intake, onBug }: ThriftHttpOptions,
  error: unknown,
): void {
  if (error instanceof BodyError) {
    const loss = lossOf(error);
    if (error.reason === 'busy') intake.refusedCall(error, TRANSPORT);
    else if (loss !== undefined) intake.lost(loss, TRANSPORT);
  } else if (!(error instanceof Refusal)) intake.lost('malformed', TRANSPORT);
  if (isGone(request, response)) return;
  if (error instanceof BodyError) {
    const status = error.reason === 'busy' ? 503 : 400;
    if (error.unread)
      answerUnread(request, response, status, 'text/plain; charset=utf-8', `${error.message}\n`);
    else answerText(response, status, error.message);
  } else if (error instanceof ThriftError) {
    answerText(response, 400, escapeHtml(`Unable to process request body: ${error.message}`));
  } else {
    if (!(error instanceof Refusal)) onBug(error);
    const said = error instanceof Refusal ? error.cause : error;
    const text = said instanceof Error ? said.message : String(said);
    answerText(response, 500, `Cannot submit Jaeger batch: ${text}`);
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
