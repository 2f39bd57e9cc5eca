/**
 * The metrics that are made of exchanges: names, units and buckets of the semantic conventions 1.44
 * (https://opentelemetry.io/docs/specs/semconv/general/metrics/), and our own, under `kindling.`, where there is none.
 */
import type { MetricDefinition } from '../../metrics/definition.js';

const HTTP_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
const DB_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const;

/** A metric with the attributes that it may have, for the code and for its documentation. */
export interface DocumentedMetric extends MetricDefinition {
  readonly attributes: readonly string[];
  /** Of the semantic conventions; undefined: our own. */
  readonly stability?: 'stable' | 'release_candidate' | 'development';
}

const duration = (
  name: string,
  description: string,
  bounds: readonly number[],
  attributes: readonly string[],
  stability?: DocumentedMetric['stability'],
): DocumentedMetric => ({
  name,
  description,
  unit: 's',
  kind: 'histogram',
  bounds,
  attributes,
  ...(stability === undefined ? {} : { stability }),
});

const DATABASE = [
  'db.system.name',
  'db.namespace',
  'db.collection.name',
  'db.operation.name',
  'db.stored_procedure.name',
  'db.response.status_code',
  'error.type',
] as const;
const RPC = ['rpc.system.name', 'rpc.method', 'rpc.response.status_code', 'error.type'] as const;
const MESSAGING = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.consumer.group.name',
  'error.type',
] as const;
const MESSAGES = MESSAGING.filter((name) => name !== 'messaging.operation.type');
const SERVER = ['server.address', 'server.port'] as const;

export const HTTP_SERVER_DURATION = duration(
  'http.server.request.duration',
  'Duration of HTTP server requests.',
  HTTP_BOUNDS,
  [
    'http.request.method',
    'url.scheme',
    'http.response.status_code',
    'error.type',
    'http.route',
    'network.protocol.version',
  ],
  'stable',
);
export const HTTP_CLIENT_DURATION = duration(
  'http.client.request.duration',
  'Duration of HTTP client requests.',
  HTTP_BOUNDS,
  [
    'http.request.method',
    ...SERVER,
    'http.response.status_code',
    'error.type',
    'url.template',
    'network.protocol.version',
  ],
  'stable',
);
export const DB_CLIENT_DURATION = duration(
  'db.client.operation.duration',
  'Duration of database client operations.',
  DB_BOUNDS,
  [...DATABASE, ...SERVER],
  'stable',
);
export const DB_SERVER_DURATION = duration(
  'kindling.db.server.operation.duration',
  'Duration of database operations as the database server sees them.',
  DB_BOUNDS,
  DATABASE,
);
export const RPC_CLIENT_DURATION = duration(
  'rpc.client.call.duration',
  'Duration of outbound remote procedure calls.',
  HTTP_BOUNDS,
  [...RPC, ...SERVER],
  'release_candidate',
);
export const RPC_SERVER_DURATION = duration(
  'rpc.server.call.duration',
  'Duration of inbound remote procedure calls.',
  HTTP_BOUNDS,
  RPC,
  'release_candidate',
);
export const MESSAGING_CLIENT_DURATION = duration(
  'messaging.client.operation.duration',
  'Duration of messaging operations initiated by a producer or consumer client.',
  HTTP_BOUNDS,
  [...MESSAGING, ...SERVER],
  'development',
);
export const MESSAGING_PROCESS_DURATION = duration(
  'messaging.process.duration',
  'Duration of processing operations.',
  HTTP_BOUNDS,
  [...MESSAGES, ...SERVER],
  'development',
);
export const MESSAGING_SERVER_DURATION = duration(
  'kindling.messaging.server.operation.duration',
  'Duration of messaging operations as the broker sees them.',
  HTTP_BOUNDS,
  MESSAGING,
);
export const DNS_DURATION = duration(
  'dns.lookup.duration',
  'Time taken to perform DNS lookups, with the server that was asked.',
  HTTP_BOUNDS,
  ['dns.question.name', 'error.type', 'server.address'],
  'development',
);
export const DNS_SERVER_DURATION = duration(
  'kindling.dns.server.lookup.duration',
  'Time taken to answer DNS queries, as the server sees it.',
  HTTP_BOUNDS,
  ['dns.question.name', 'error.type'],
);
export const OTHER_CLIENT_DURATION = duration(
  'kindling.client.request.duration',
  'Duration of client requests in protocols that have no convention.',
  HTTP_BOUNDS,
  ['network.protocol.name', 'error.type', ...SERVER],
);
export const OTHER_SERVER_DURATION = duration(
  'kindling.server.request.duration',
  'Duration of server requests in protocols that have no convention.',
  HTTP_BOUNDS,
  ['network.protocol.name', 'error.type'],
);

export const SENT_MESSAGES: DocumentedMetric = {
  name: 'messaging.client.sent.messages',
  description: 'Number of messages that producers attempted to send to the broker.',
  unit: '{message}',
  kind: 'counter',
  attributes: [...MESSAGES.filter((name) => name !== 'messaging.consumer.group.name'), ...SERVER],
  stability: 'development',
};
export const CONSUMED_MESSAGES: DocumentedMetric = {
  name: 'messaging.client.consumed.messages',
  description: 'Number of messages that were delivered to the application.',
  unit: '{message}',
  kind: 'counter',
  attributes: [...MESSAGES, ...SERVER],
  stability: 'development',
};
export const REQUEST_IO: DocumentedMetric = {
  name: 'kindling.request.io',
  description: 'Bytes of requests and responses, heads included, as this end sent and received them.',
  unit: 'By',
  kind: 'counter',
  attributes: ['network.io.direction', 'network.protocol.name', 'kindling.side', ...SERVER],
};

export const REQUEST_METRICS: readonly DocumentedMetric[] = [
  HTTP_SERVER_DURATION,
  HTTP_CLIENT_DURATION,
  RPC_SERVER_DURATION,
  RPC_CLIENT_DURATION,
  DB_CLIENT_DURATION,
  DB_SERVER_DURATION,
  MESSAGING_CLIENT_DURATION,
  MESSAGING_PROCESS_DURATION,
  MESSAGING_SERVER_DURATION,
  SENT_MESSAGES,
  CONSUMED_MESSAGES,
  DNS_DURATION,
  DNS_SERVER_DURATION,
  OTHER_CLIENT_DURATION,
  OTHER_SERVER_DURATION,
  REQUEST_IO,
];
