/**
 * The metrics of the Kindling collector before this one (`naming: kindling`), so that dashboards made for it go on working:
 * `kindling_entity_request_*` of servers, `kindling_topology_request_*` of clients, `kindling_tcp_connect_*`.
 *
 * What was wrong with them is not repeated: series are bounded, expire and keep their start; every error code is a label
 * value; nothing is sampled, and no gauge overwrites another. What was a histogram of averages does not exist.
 */
import type { MetricDefinition } from '../../metrics/definition.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import type { ProtocolOptions } from '../../protocols/options.js';
import { SpanFacts } from '../../protocols/span-facts.js';
import { errorType } from '../span-attributes.js';
import type { Exchange, NetCloseRecord, NetOpenRecord } from '../types.js';
import type { ServiceGroup } from './service-groups.js';

const counter = (name: string, description: string): MetricDefinition => ({
  name: `kindling_${name}`,
  description,
  unit: '',
  kind: 'counter',
});
const ENTITY = {
  total: counter('entity_request_total', 'Requests that a server answered.'),
  duration: counter('entity_request_duration_nanoseconds_total', 'Time that these requests took, added up.'),
  sent: counter('entity_request_send_bytes_total', 'Bytes of their responses.'),
  received: counter('entity_request_receive_bytes_total', 'Bytes of these requests.'),
};
const TOPOLOGY = {
  total: counter('topology_request_total', 'Requests that a client sent.'),
  duration: counter(
    'topology_request_duration_nanoseconds_total',
    'Time that these requests took, added up.',
  ),
  sent: counter('topology_request_request_bytes_total', 'Bytes of these requests.'),
  received: counter('topology_request_response_bytes_total', 'Bytes of their responses.'),
};
const CONNECTS = counter('tcp_connect_total', 'Connections that were tried.');
const CONNECT_TIME = counter(
  'tcp_connect_duration_nanoseconds_total',
  'Time until they were established, added up.',
);

/** `is_slow`: from here on, as it was by default. */
const SLOW_NS = 500e6;
const UNKNOWN_INSIDE = 'NOT_FOUND_INTERNAL';
const UNKNOWN_OUTSIDE = 'NOT_FOUND_EXTERNAL';
const WORKLOADS = ['deployment', 'statefulset', 'daemonset', 'job', 'cronjob', 'replicaset'] as const;

export class FormerNames {
  readonly #options: ProtocolOptions;
  readonly #facts = new SpanFacts();

  constructor(options: ProtocolOptions) {
    this.#options = options;
  }

  exchange(exchange: Exchange, group: ServiceGroup): void {
    if (exchange.wire?.exchange.waiting === true) return;
    const { requestStart, requestEnd, responseEnd, requestBytes, responseBytes, protocol } = exchange;
    const duration = Math.max(0, (responseEnd === 0 ? requestEnd : responseEnd) - requestStart);
    const { request, response } = this.#contentOf(exchange);
    const own = workloadOf(group.attributes);
    const isServer = exchange.role === 'server';
    const labels: AttributesInput = isServer
      ? { ...own, protocol, request_content: request, response_content: response }
      : { ...prefixed('src_', own), ...this.#destinationOf(exchange), protocol, status_code: response };
    const metrics = isServer ? ENTITY : TOPOLOGY;
    group
      .numbers(metrics.total)
      .of({ ...labels, is_slow: duration >= SLOW_NS })
      .add(1);
    group.numbers(metrics.duration).of(labels).add(Math.round(duration));
    group
      .numbers(metrics.sent)
      .of(labels)
      .add(isServer ? responseBytes : requestBytes);
    group
      .numbers(metrics.received)
      .of(labels)
      .add(isServer ? requestBytes : responseBytes);
  }

  connected({ tuple, connectStart, time, existing }: NetOpenRecord, group: ServiceGroup): void {
    if (existing === true || connectStart === 0) return;
    const labels = connectLabels(group, tuple, 0);
    group.numbers(CONNECTS).of(labels).add(1);
    group
      .numbers(CONNECT_TIME)
      .of(labels)
      .add(Math.max(0, Math.round(time - connectStart)));
  }

  notConnected({ tuple, error }: NetCloseRecord, group: ServiceGroup): void {
    group
      .numbers(CONNECTS)
      .of(connectLabels(group, tuple, error))
      .add(1);
  }

  #destinationOf({ tuple, http }: Exchange): AttributesInput {
    const name = http.host ?? `${tuple.remoteAddress}:${tuple.remotePort}`;
    return {
      dst_namespace: UNKNOWN_OUTSIDE,
      dst_workload_kind: UNKNOWN_OUTSIDE,
      dst_workload_name: name,
      dst_service: name,
      dst_node: UNKNOWN_OUTSIDE,
      dst_pod: UNKNOWN_OUTSIDE,
    };
  }

  #contentOf(exchange: Exchange): { readonly request: string; readonly response: string } {
    const { wire, role, http } = exchange;
    if (wire === undefined) {
      const response = http.statusCode === 0 ? (errorType(exchange) ?? '') : String(http.statusCode);
      return { request: clusteredPath(http.path), response };
    }
    const facts = this.#facts.describe(wire.protocol, wire.exchange, wire.ends, role, this.#options);
    const { attributes } = facts;
    const path = attributes.get('url.path');
    const response =
      attributes.get('http.response.status_code') ??
      attributes.get('rpc.response.status_code') ??
      attributes.get('db.response.status_code') ??
      facts.errorType ??
      (wire.protocol.convention === 'dns' ? 'NOERROR' : '');
    const request =
      typeof path === 'string'
        ? clusteredPath(path)
        : (attributes.get('rpc.method') ??
          attributes.get('db.query.summary') ??
          attributes.get('dns.question.name') ??
          attributes.get('messaging.destination.name') ??
          facts.name);
    return { request: String(request), response: String(response) };
  }
}

function connectLabels(group: ServiceGroup, tuple: NetOpenRecord['tuple'], errno: number): AttributesInput {
  return {
    ...prefixed('src_', workloadOf(group.attributes)),
    src_ip: tuple.localAddress,
    dst_ip: tuple.remoteAddress,
    dst_port: String(tuple.remotePort),
    errno: String(errno),
    success: errno === 0,
  };
}

function workloadOf(resource: AttributesInput): Readonly<Record<string, string>> {
  const text = (key: string): string | undefined => {
    const value = resource[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const kind = WORKLOADS.find((one) => text(`k8s.${one}.name`) !== undefined);
  const service = text('service.name') ?? UNKNOWN_INSIDE;
  return {
    namespace: text('k8s.namespace.name') ?? text('service.namespace') ?? UNKNOWN_INSIDE,
    workload_kind: kind ?? UNKNOWN_INSIDE,
    workload_name: (kind === undefined ? undefined : text(`k8s.${kind}.name`)) ?? service,
    service,
  };
}

const prefixed = (prefix: string, labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));

/** `/users/42/items?x=1`: `/users/*` + `/items`. What is not made of letters is taken for an id. */
export function clusteredPath(target: string): string {
  const path = target.split(/[?#]/, 1)[0] ?? '';
  return path
    .split('/')
    .map((part) => (/^[A-Za-z_-]*$/.test(part) ? part : '*'))
    .join('/');
}
