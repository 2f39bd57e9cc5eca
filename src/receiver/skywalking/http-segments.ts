/** `POST /v3/segments` and `/v3/segment`: segments as JSON, as agents without gRPC send them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Intake, Refusal } from '../../pipeline/intake.js';
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
import type { Pair, Segment, SegmentReference, SegmentSpan } from './model.js';
import { encodeSegments } from './segments-to-otlp.js';

const TRANSPORT = 'http';
/** What an agent reports about itself. */
const ANSWERED = new Set(['/v3/management/reportProperties', '/v3/management/keepAlive']);

export interface HttpSegmentsOptions {
  readonly intake: Intake | undefined;
  readonly limits: HttpBodyLimits;
  readonly connectionOf: HttpListener['connectionOf'];
  readonly keepMetadata: boolean;
  readonly onBug: (error: unknown) => void;
}

export async function handleSegments(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpSegmentsOptions,
): Promise<void> {
  const { intake, limits, connectionOf, keepMetadata } = options;
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const isSegments = path === '/v3/segments' || path === '/v3/segment';
  if (!isSegments && !ANSWERED.has(path)) {
    answerText(response, 404, '404 page not found');
    return;
  }
  if (request.method !== 'POST') {
    answer(response, 405, undefined, '');
    return;
  }
  let body: HttpBody | undefined;
  try {
    body = await readHttpBody(request, limits);
    if (isSegments) {
      const encoded = encodeSegments(readSegments(body.bytes));
      if (encoded.itemCount > 0) {
        await intake?.deliver({
          ...encoded,
          transport: TRANSPORT,
          connection: connectionOf(request),
          metadata: keepMetadata ? requestMetadata(request.headers) : undefined,
        });
      }
    }
    answer(response, 200, undefined, '');
  } catch (error) {
    refuse(request, response, options, error);
  } finally {
    body?.release();
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { intake, onBug }: HttpSegmentsOptions,
  error: unknown,
): void {
  if (error instanceof BodyError) {
    const loss = lossOf(error);
    if (error.reason === 'busy') intake?.refusedCall(error, TRANSPORT);
    else if (loss !== undefined) intake?.lost(loss, TRANSPORT);
  } else if (!(error instanceof Refusal)) intake?.lost('malformed', TRANSPORT);
  if (isGone(request, response)) return;
  const { message } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof BodyError) {
    const status = error.reason === 'busy' ? 503 : 400;
    if (error.unread) answerUnread(request, response, status, 'text/plain; charset=utf-8', `${message}\n`);
    else answerText(response, status, message);
  } else if (error instanceof SyntaxError || error instanceof SegmentError)
    answerText(response, 400, message);
  else if (error instanceof Refusal) answerText(response, error.permanent ? 400 : 503, message);
  else {
    onBug(error);
    answerText(response, 500, message);
  }
}

/** JSON that is no segment. */
class SegmentError extends Error {
  override readonly name = 'SegmentError';
}

type Json = Readonly<Record<string, unknown>>;

/** One segment or a list of them. Throws `SyntaxError` and `SegmentError`. */
export function readSegments(body: Uint8Array): Segment[] {
  const value = JSON.parse(Buffer.from(body).toString('utf8')) as unknown;
  return (Array.isArray(value) ? value : [value]).map((item) => readSegment(objectOf(item, 'segment')));
}

const readSegment = (json: Json): Segment => ({
  traceId: text(json.traceId),
  traceSegmentId: text(json.traceSegmentId),
  service: text(json.service),
  serviceInstance: text(json.serviceInstance),
  isSizeLimited: json.isSizeLimited === true,
  spans: items(json.spans, 'span').map(readSpan),
});

const readSpan = (json: Json): SegmentSpan => ({
  spanId: number(json.spanId),
  parentSpanId: json.parentSpanId === undefined ? -1 : number(json.parentSpanId),
  startTime: BigInt(number(json.startTime)),
  endTime: BigInt(number(json.endTime)),
  refs: items(json.refs, 'reference').map(readReference),
  operationName: text(json.operationName),
  peer: text(json.peer),
  spanType: choice(json.spanType, ['Entry', 'Exit', 'Local']),
  spanLayer: choice(json.spanLayer, ['Unknown', 'Database', 'RPCFramework', 'Http', 'MQ', 'Cache', 'FAAS']),
  componentId: number(json.componentId),
  isError: json.isError === true,
  tags: pairs(json.tags),
  logs: items(json.logs, 'log').map((log) => ({ time: BigInt(number(log.time)), data: pairs(log.data) })),
  skipAnalysis: json.skipAnalysis === true,
});

const readReference = (json: Json): SegmentReference => ({
  refType: choice(json.refType, ['CrossProcess', 'CrossThread']),
  traceId: text(json.traceId),
  parentTraceSegmentId: text(json.parentTraceSegmentId),
  parentSpanId: number(json.parentSpanId),
  parentService: text(json.parentService),
  parentServiceInstance: text(json.parentServiceInstance),
  parentEndpoint: text(json.parentEndpoint),
  networkAddressUsedAtPeer: text(json.networkAddressUsedAtPeer),
});

const pairs = (value: unknown): Pair[] =>
  items(value, 'pair').map(({ key, value: content }) => ({ key: text(key), value: text(content) }));

function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new SegmentError(`a ${what} must be an object`);
}

function items(value: unknown, what: string): Json[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SegmentError(`a list of ${what}s is expected`);
  return value.map((item) => objectOf(item, what));
}

const text = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';

/** Whole numbers, which JSON of protobuf may write as texts. */
function number(value: unknown): number {
  if (value === undefined || value === null) return 0;
  const result = typeof value === 'string' ? Number(value) : value;
  if (typeof result !== 'number' || !Number.isSafeInteger(result)) {
    throw new SegmentError(`a whole number is expected, not ${JSON.stringify(value)}`);
  }
  return result;
}

/** A name or its number. */
function choice(value: unknown, names: readonly string[]): number {
  if (typeof value !== 'string' || /^\d+$/.test(value)) return number(value);
  const index = names.indexOf(value);
  if (index < 0) throw new SegmentError(`unknown value ${JSON.stringify(value)}`);
  return index;
}
