import type { IncomingHttpHeaders } from 'node:http';
import type { Origin } from '../component/signal.js';

/** Proofs of identity: they concern this hop alone, and a persistent queue would write them to disk. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** What `include_metadata` keeps of a request: its headers without secrets and HTTP/2 pseudo headers. */
export function requestMetadata(
  headers: Readonly<Record<string, string | string[] | undefined>> | IncomingHttpHeaders,
): Origin['metadata'] {
  const kept: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || SECRET.has(name)) continue;
    kept[name] = typeof value === 'string' ? [value] : value;
  }
  return kept;
}
