/** Sends probes to whatever listens on some ports, and makes the answers comparable. */
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { decodeExportResponse, decodeStatus } from '../../../src/otlp/responses.js';
import { decodeGrpcMessage } from '../../../src/transport/grpc-status.js';
import type { Backend } from './backend.js';
import { JSON_REQUESTS } from './bodies.js';
import { callRaw } from './grpc-client.js';
import { exchange, type RawResponse } from './http-client.js';
import type { GrpcAnswer, HttpAnswer, WireAnswer, WireProbe } from './probe.js';
import type { PortsByServer } from './servers.js';

/** What clients and proxies act on. */
const HTTP_HEADERS = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'allow',
  'connection',
  'content-type',
  'location',
  'retry-after',
  'vary',
  'www-authenticate',
  'x-content-type-options',
  'x-served-by',
];
const GRPC_HEADERS = ['content-type', 'grpc-encoding', 'grpc-message', 'grpc-status'];

export async function ask(probe: WireProbe, ports: PortsByServer, backend: Backend): Promise<WireAnswer> {
  backend.answer = probe.backend ?? { code: 0 };
  backend.received.splice(0);
  const answer =
    probe.protocol === 'http'
      ? {
          http: (await exchange(ports[probe.server].http, probe.requests, probe.cut ?? false)).map(
            httpAnswer,
          ),
        }
      : { grpc: grpcAnswer(await callRaw(ports[probe.server].grpc, probe.headers, probe.data)) };
  const forwarded = backend.received.map((request) =>
    Object.values(JSON_REQUESTS).some((sent) => isDeepStrictEqual(request, canonical(sent)))
      ? 'as sent'
      : shortened(request),
  );
  return withoutPorts(
    forwarded.length === 0
      ? answer
      : { ...answer, forwarded: forwarded.length === 1 ? forwarded[0] : forwarded },
  );
}

/** Ports are others each time. */
const withoutPorts = (answer: WireAnswer): WireAnswer =>
  JSON.parse(JSON.stringify(answer).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')) as WireAnswer;

/** Paddings as their length. */
const shortened = (request: unknown): unknown =>
  JSON.parse(JSON.stringify(request).replaceAll(/x{200,}/g, (padding) => `${padding.length} times x`));

/** With the members that OTLP/JSON always has. */
function canonical(sent: unknown): unknown {
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    const filled = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
    if ('spans' in filled || 'metrics' in filled || 'logRecords' in filled || 'profiles' in filled) {
      filled.scope ??= {};
    }
    if ('spanId' in filled && 'kind' in filled) filled.status ??= {};
    if ('scopeProfiles' in filled) filled.resource ??= {};
    return filled;
  };
  return fill(sent);
}

function httpAnswer(response: RawResponse | 'closed'): HttpAnswer | 'closed' {
  if (response === 'closed') return response;
  const { status, headers, body } = response;
  const kept = Object.fromEntries(
    HTTP_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const])),
  );
  return body.length === 0
    ? { status, headers: kept }
    : { status, headers: kept, body: bodyOf(status, headers['content-type'] ?? '', body) };
}

function bodyOf(status: number, type: string, body: Buffer): unknown {
  if (type.startsWith('application/json')) return JSON.parse(body.toString('utf8'));
  if (!type.startsWith('application/x-protobuf')) return body.toString('utf8');
  return status === 200 ? responseOf(body) : decodeStatus(body);
}

/** The bytes of an empty partial success, which a Collector sends, are as good as a name. */
const responseOf = (bytes: Buffer): unknown =>
  decodeExportResponse(bytes) ?? (bytes.toString('hex') || 'nothing');

function grpcAnswer({
  headers,
  body,
  reset,
}: {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly reset: number | undefined;
}): GrpcAnswer {
  const kept = Object.fromEntries(
    GRPC_HEADERS.flatMap((name) => {
      const value = headers[name];
      // Nobody tells an empty one from none.
      if (value === undefined || value === '') return [];
      return [[name, name === 'grpc-message' ? decodeGrpcMessage(value) : value] as const];
    }),
  );
  const details = headers['grpc-status-details-bin'];
  const compressed = body[0] === 1 ? headers['grpc-encoding'] : undefined;
  const response =
    body.length < 5
      ? undefined
      : compressed === undefined
        ? responseOf(body.subarray(5))
        : compressed === 'gzip'
          ? responseOf(gunzipSync(body.subarray(5)))
          : `compressed: ${compressed}`;
  return {
    status: headers[':status'] ?? 'none',
    headers: kept,
    ...(details === undefined ? {} : { details: decodeStatus(Buffer.from(details, 'base64')) }),
    ...(response === undefined ? {} : { response }),
    ...(reset === undefined || reset === 0 ? {} : { reset }),
  };
}
