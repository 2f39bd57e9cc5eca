/** Builds probes: short to write, and as odd as wanted. */
import type { Signal } from '../../../src/component/signal.js';
import { proto } from './bodies.js';
import type { GrpcProbe, HttpProbe } from './probe.js';

export const HTTP_PATHS: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
  profiles: '/v1development/profiles',
};

export const GRPC_PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
};

export interface HttpParts {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly host?: string | null;
  /** `null`: no such header. */
  readonly type?: string | null;
  readonly encoding?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Uint8Array | string;
  /** 'none': no word of how long the body is. */
  readonly length?: 'content-length' | 'chunked' | 'none' | number;
}

/** The bytes of one request. */
export function httpRequest(parts: HttpParts): Buffer {
  const { method = 'POST', target = '/v1/traces', version = '1.1', host = 'localhost' } = parts;
  const { type = 'application/x-protobuf', encoding, headers = [], length = 'content-length' } = parts;
  const body = Buffer.from(parts.body ?? (method === 'POST' ? proto('traces') : ''));
  const lines = [`${method} ${target} HTTP/${version}`];
  const add = (name: string, value: string | null | undefined): void => {
    if (value !== null && value !== undefined) lines.push(`${name}: ${value}`);
  };
  add('Host', host);
  add('Content-Type', type);
  add('Content-Encoding', encoding);
  for (const [name, value] of headers) add(name, value);
  if (length === 'chunked') add('Transfer-Encoding', 'chunked');
  else if (typeof length === 'number') add('Content-Length', String(length));
  else if (length === 'content-length' && (body.length > 0 || method === 'POST')) {
    add('Content-Length', String(body.length));
  }
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, length === 'chunked' ? chunked(body) : body]);
}

function chunked(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += 300) {
    const piece = body.subarray(at, at + 300);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from('0\r\n\r\n')]);
}

type HttpMore = Partial<Pick<HttpProbe, 'server' | 'backend' | 'cut'>>;

export const http = (id: string, parts: HttpParts, more: HttpMore = {}): HttpProbe => ({
  id: `${more.server ?? 'plain'}: ${id}`,
  protocol: 'http',
  server: 'plain',
  requests: [httpRequest(parts)],
  ...more,
});

/** Bytes that need not be a request at all. */
export const rawHttp = (
  id: string,
  requests: readonly (Buffer | string)[],
  more: HttpMore = {},
): HttpProbe => ({
  id: `${more.server ?? 'plain'}: ${id}`,
  protocol: 'http',
  server: 'plain',
  requests: requests.map((one) => Buffer.from(one as string)),
  ...more,
});

export interface GrpcParts {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string | null;
  readonly te?: string | null;
  readonly encoding?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Goes in frames of its own; `framed` gives the prefix. */
  readonly data?: readonly Buffer[];
}

/** A message with its gRPC prefix. */
export function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

export function grpc(
  id: string,
  parts: GrpcParts,
  more: Partial<Pick<GrpcProbe, 'server' | 'backend'>> = {},
): GrpcProbe {
  const { method = 'POST', path = GRPC_PATHS.traces, type = 'application/grpc', te = 'trailers' } = parts;
  const { encoding, headers = [], data = [framed(proto('traces'))] } = parts;
  const list: [string, string][] = [
    [':method', method],
    [':scheme', 'http'],
    [':authority', 'localhost'],
    [':path', path],
  ];
  if (type !== null) list.push(['content-type', type]);
  if (te !== null) list.push(['te', te]);
  if (encoding !== undefined) list.push(['grpc-encoding', encoding]);
  const all = [...list, ...headers.map(([name, value]) => [name, value] as const)];
  return {
    id: `${more.server ?? 'plain'}: ${id}`,
    protocol: 'grpc',
    server: 'plain',
    ...more,
    headers: all,
    data,
  };
}
