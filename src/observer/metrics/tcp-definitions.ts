/** Metrics of TCP connections. No convention exists for them, so the names are our own. */
import type { DocumentedMetric } from './request-definitions.js';

const SERVER = ['server.address', 'server.port'] as const;

export const CONNECT_DURATION: DocumentedMetric = {
  name: 'kindling.tcp.connect.duration',
  description: 'Time from the first SYN to the established connection, at the client.',
  unit: 's',
  kind: 'histogram',
  bounds: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 10],
  attributes: SERVER,
};
export const CONNECT_FAILURES: DocumentedMetric = {
  name: 'kindling.tcp.connect.failures',
  description: 'Connections that could not be established, by reason.',
  unit: '{connection}',
  kind: 'counter',
  attributes: ['error.type', ...SERVER],
};
export const CONNECTIONS_OPENED: DocumentedMetric = {
  name: 'kindling.tcp.connections.opened',
  description: 'Connections that were established.',
  unit: '{connection}',
  kind: 'counter',
  attributes: ['kindling.side', ...SERVER],
};
export const CONNECTIONS_CLOSED: DocumentedMetric = {
  name: 'kindling.tcp.connections.closed',
  description: 'Connections that ended, with the reason of those that did not end in order.',
  unit: '{connection}',
  kind: 'counter',
  attributes: ['kindling.side', 'error.type', ...SERVER],
};
export const TCP_IO: DocumentedMetric = {
  name: 'kindling.tcp.io',
  description: 'Bytes of connections, counted when they end.',
  unit: 'By',
  kind: 'counter',
  attributes: ['network.io.direction', 'kindling.side', ...SERVER],
};
export const CONNECTIONS_OPEN: DocumentedMetric = {
  name: 'kindling.tcp.connections',
  description: 'Connections that are open.',
  unit: '{connection}',
  kind: 'gauge',
  attributes: ['kindling.side'],
};

export const TCP_METRICS: readonly DocumentedMetric[] = [
  CONNECTIONS_OPEN,
  CONNECTIONS_OPENED,
  CONNECTIONS_CLOSED,
  CONNECT_DURATION,
  CONNECT_FAILURES,
  TCP_IO,
];
