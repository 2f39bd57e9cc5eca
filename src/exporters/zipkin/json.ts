/** Zipkin v2 JSON, written as github.com/openzipkin/zipkin-go v0.4.3 does: names in lower case, times rounded. */
import type { ZipkinEndpoint } from '../../zipkin/model.js';
import type { OutgoingSpan } from './outgoing-span.js';

export const toV2Json = (spans: readonly OutgoingSpan[]): Buffer =>
  Buffer.from(JSON.stringify(spans.map(jsonSpan)));

const jsonSpan = (span: OutgoingSpan) => ({
  timestamp: span.startNs === undefined ? undefined : rounded(span.startNs),
  duration: durationOf(span.durationNs),
  traceId: span.traceId.replace(/^0{16}/, ''),
  id: span.id,
  parentId: span.parentId || undefined,
  name: span.name.toLowerCase() || undefined,
  kind: span.kind || undefined,
  localEndpoint: jsonEndpoint(span.local),
  remoteEndpoint: jsonEndpoint(span.remote),
  annotations:
    span.annotations.length === 0
      ? undefined
      : span.annotations.map(({ timeNs, value }) => ({ timestamp: rounded(timeNs), value })),
  tags: span.tags.size === 0 ? undefined : Object.fromEntries(span.tags),
});

function jsonEndpoint(endpoint: ZipkinEndpoint | undefined): object | undefined {
  if (endpoint === undefined) return undefined;
  const { serviceName, ipv4, ipv6, port } = endpoint;
  if (serviceName === '' && ipv4 === '' && ipv6 === '' && port === 0) return undefined;
  return {
    serviceName: serviceName.toLowerCase() || undefined,
    ipv4: ipv4 || undefined,
    ipv6: ipv6 || undefined,
    port: port || undefined,
  };
}

/** Microseconds. */
const rounded = (ns: bigint): number => Number((ns + 500n) / 1000n);

/** Less than a microsecond is one; nothing is left out. */
const durationOf = (ns: bigint): number | undefined => (ns === 0n ? undefined : Math.max(1, rounded(ns)));
