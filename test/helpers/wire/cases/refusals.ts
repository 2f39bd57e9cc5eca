/** What clients are told when the backend behind the exporters refuses. */
import { json, proto, SIGNALS } from '../bodies.js';
import type { BackendAnswer, WireProbe } from '../probe.js';
import { framed, GRPC_PATHS, grpc, HTTP_PATHS, http } from '../requests.js';

const both = (id: string, backend: BackendAnswer, server: 'plain' | 'to_http' = 'plain'): WireProbe[] => [
  http(`${id}, HTTP`, {}, { backend, server }),
  http(`${id}, JSON`, { type: 'application/json', body: json('traces') }, { backend, server }),
  grpc(`${id}, gRPC`, {}, { backend, server }),
];

const STATUSES = [
  201, 202, 204, 205, 206, 300, 304, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414,
  415, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508,
  511, 520, 599,
];

export const refusals = (): WireProbe[] => [
  ...Array.from({ length: 17 }, (_, code) => code).flatMap((code) => [
    ...both(`gRPC ${code}`, { code }),
    ...(code === 0 ? [] : both(`gRPC ${code} with RetryInfo`, { code, retrySeconds: 7 })),
  ]),
  ...both('gRPC 99', { code: 99 }),
  ...both('gRPC 14 with a text of odd characters', { code: 14, message: 'a "b"\n%20 <é>' }),
  ...both('gRPC 14 without a text', { code: 14, message: '' }),
  ...both('gRPC 14 with RetryInfo of a part of a second', { code: 14, retrySeconds: 0.25 }),
  ...both('gRPC 14 with RetryInfo of no time', { code: 14, retrySeconds: 0 }),
  ...both('gRPC 8 with RetryInfo of a day', { code: 8, retrySeconds: 86_400 }),
  ...both('partial success', { code: 0, rejected: 1 }),
  ...both('partial success with a warning alone', { code: 0, rejected: 0 }),
  ...SIGNALS.flatMap((signal) => [
    http(
      `gRPC 14 for ${signal}, HTTP`,
      { target: HTTP_PATHS[signal], body: proto(signal) },
      { backend: { code: 14 } },
    ),
    grpc(
      `gRPC 14 for ${signal}, gRPC`,
      { path: GRPC_PATHS[signal], data: [framed(proto(signal))] },
      { backend: { code: 14 } },
    ),
  ]),
  ...STATUSES.flatMap((code) => both(`HTTP ${code}`, { code }, 'to_http')),
  ...[429, 502, 503, 504, 500].flatMap((code) =>
    both(`HTTP ${code} with Retry-After`, { code, retrySeconds: 9 }, 'to_http'),
  ),
];
