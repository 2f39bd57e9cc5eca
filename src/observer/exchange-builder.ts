import type { Connection } from './connection.js';
import type { ExchangeDraft } from './exchange-draft.js';
import type { Exchange } from './types.js';

/** By minor version. */
const VERSIONS = ['1.0', '1.1'] as const;

/** What others see of a finished exchange. */
export function toExchange(
  id: number,
  connection: Connection,
  draft: ExchangeDraft,
  incomplete: Exchange['incomplete'],
): Exchange {
  return {
    id,
    protocol: 'http',
    role: connection.pairing!.role,
    tgid: draft.tgid,
    requestTid: draft.requestTid,
    responseTid: draft.responseTid,
    socketCookie: connection.cookie,
    tuple: connection.tuple,
    requestStart: draft.requestStart,
    requestEnd: draft.requestEnd,
    responseStart: draft.responseStart,
    responseEnd: draft.responseEnd,
    requestBytes: draft.requestBytes,
    responseBytes: draft.responseBytes,
    http: {
      method: draft.method,
      path: draft.path,
      query: draft.query,
      host: draft.host,
      userAgent: draft.userAgent,
      statusCode: draft.statusCode,
      version: VERSIONS[draft.minorVersion] ?? `1.${draft.minorVersion}`,
    },
    context: draft.context,
    incomplete,
    ...(draft.tls === undefined ? {} : { tls: draft.tls }),
    identity: draft.identity,
  };
}
