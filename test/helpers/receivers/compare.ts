/** When two requests of OTLP/JSON say the same: a Collector takes attributes from Go maps and sorts spans unstably. */

type Json = Readonly<Record<string, unknown>>;

/** Groups, scopes and spans in one order, attributes by key, nothing that is empty. */
export function comparableTraces(value: unknown): unknown {
  const groups = list((value as Json).resourceSpans).map((group) => ({
    resource: normal(group.resource ?? {}),
    scopes: sorted(
      list(group.scopeSpans).map((scope) => ({
        scope: normal(scope.scope ?? {}),
        spans: sorted(list(scope.spans).map(span)),
      })),
    ),
  }));
  // Of a process without spans nothing is left to say.
  return sorted(groups.filter(({ scopes }) => scopes.length > 0));
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** A span that got the time of its arrival has another one each time. */
function span(value: Json): unknown {
  const plain = normal(value) as Record<string, unknown>;
  const attributes = plain.attributes as Json | undefined;
  const isNow = attributes?.['otel.zipkin.absentField.startTime'] !== undefined;
  if (isNow && Number(plain.startTimeUnixNano) > 1.7e18) {
    for (const key of ['startTimeUnixNano', 'endTimeUnixNano']) plain[key] = 'now';
  }
  return plain;
}

function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isMap = value.length > 0 && value.every((item) => typeof (item as Json | null)?.key === 'string');
    if (!isMap) return value.map(normal);
    const entries = value.map((item: Json) => [item.key as string, normal(item.value ?? {})] as const);
    return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, normal(item)] as const)
    .filter(([key, item]) => key !== 'flags' && !isEmpty(key, item))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** An id of zeros is no id. */
const isEmpty = (key: string, value: unknown): boolean =>
  value === undefined ||
  value === 0 ||
  (value === '' && key !== 'stringValue') ||
  (/Id$/.test(key) && typeof value === 'string' && /^0*$/.test(value)) ||
  (/Nano$/.test(key) && value === '0') ||
  (typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 0 &&
    !['value', 'arrayValue'].includes(key));

const sorted = <T>(items: readonly T[]): T[] =>
  [...items].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** What left for Zipkin, in both encodings. */
export interface ZipkinExport {
  readonly json: unknown;
  readonly proto: unknown;
}

/**
 * Keys in one order. A parent of zeros is no parent, 16 bytes of IPv4 (which Zipkin's format does not allow) are four, and what a Collector calls a service without a name is ours to say.
 */
export const comparableZipkin = ({ json, proto }: ZipkinExport): ZipkinExport => ({
  json: plain(json),
  proto: plain(proto),
});

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) {
    return /^OTLPResourceNoServiceName$/i.test(String(value)) ? '<missing service name>' : value;
  }
  const entries = Object.entries(value)
    .filter(([key, item]) => !(key === 'parentId' && item === 'AAAAAAAAAAA='))
    .map(([key, item]) => [key, key === 'ipv4' ? fourBytes(String(item)) : plain(item)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fourBytes(address: string): string {
  const bytes = Buffer.from(address, 'base64');
  const isMapped = bytes.length === 16 && bytes.readUInt16BE(10) === 0xffff;
  return isMapped ? bytes.subarray(12).toString('base64') : address;
}
