/** What the choice of spans looks at, of spans of SDKs and of those that exchanges become. */
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import { DEFAULT_PROTOCOL_OPTIONS } from '../../protocols/options.js';
import { SpanFacts } from '../../protocols/span-facts.js';
import { httpMethod, httpPath, type JoinSpan } from '../join-span.js';
import { errorType, spanName } from '../span-attributes.js';
import { TRACE_ID } from '../span-identity.js';
import type { Exchange, ProcessTable } from '../types.js';
import { receivingRole } from '../wire-exchange.js';

export interface TriggerSpan {
  readonly service: string;
  readonly kind: number;
  readonly name: string;
  /** `METHOD /path` of an HTTP request, without the query. */
  readonly request: string | undefined;
  /** What its durations are compared with. */
  readonly endpoint: string;
  readonly traceId: string;
  readonly durationNs: number;
  readonly isError: boolean;
}

export function ofSpan(span: JoinSpan): TriggerSpan {
  const { view, kind, traceId, durationNs } = span;
  const service = view.resource.attribute('service.name');
  const method = httpMethod(span);
  const path = method === undefined ? undefined : httpPath(span);
  const { name } = view;
  return {
    service: typeof service === 'string' ? service : '',
    kind,
    name,
    request: path === undefined ? undefined : `${method} ${path}`,
    endpoint: name,
    traceId,
    durationNs,
    isError: view.statusCode === StatusCode.error,
  };
}

const facts = new SpanFacts();

/** The name of an HTTP/1.x exchange has no path, which says more than it: it is a part of the endpoint. */
export function ofExchange(exchange: Exchange, durationNs: number, processes: ProcessTable): TriggerSpan {
  const { role, tgid, http, wire, identity } = exchange;
  const common = {
    service: processes.get(tgid)?.serviceName ?? '',
    traceId:
      identity === undefined
        ? ''
        : Buffer.from(identity.buffer, identity.byteOffset, identity.length).toString(
            'hex',
            TRACE_ID.start,
            TRACE_ID.end,
          ),
    durationNs,
  };
  if (wire === undefined) {
    const request = `${http.method} ${http.path}`;
    return {
      ...common,
      kind: role === 'server' ? SpanKind.server : SpanKind.client,
      name: spanName(exchange),
      request,
      endpoint: request,
      isError: errorType(exchange) !== undefined,
    };
  }
  const {
    name,
    kind,
    attributes,
    errorType: error,
  } = facts.describe(
    wire.protocol,
    wire.exchange,
    wire.ends,
    receivingRole(role, wire.exchange),
    DEFAULT_PROTOCOL_OPTIONS,
  );
  const method = attributes.get('http.request.method');
  const path = attributes.get('url.path');
  const request = method === undefined || path === undefined ? undefined : `${method} ${path}`;
  return {
    ...common,
    kind: SpanKind[kind],
    name,
    request,
    endpoint: request ?? name,
    isError: error !== undefined,
  };
}
