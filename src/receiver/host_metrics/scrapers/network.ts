/**
 * Interfaces, connections and what TCP counts for the whole host. Sources: Linux, Documentation/networking/statistics.rst
 * (/proc/net/dev), snmp_counter.rst (/proc/net/snmp, /proc/net/netstat), net/ipv4/tcp_ipv4.c (/proc/net/tcp).
 *
 * There is no convention for TCP, so those names are our own.
 */
import { counter, gauge, type HostFiles, type Measurement, upDownCounter } from '../measurement.js';

const IO = counter('system.network.io', 'By', 'Bytes transmitted and received.');
const PACKETS = counter('system.network.packet.count', '{packet}', 'Packets transmitted and received.');
const DROPPED = counter('system.network.packet.dropped', '{packet}', 'Packets dropped without an error.');
const ERRORS = counter('system.network.errors', '{error}', 'Network errors.');
const CONNECTIONS = upDownCounter('system.network.connection.count', '{connection}', 'Connections by state.');

/** States by their number in /proc/net/tcp (include/net/tcp_states.h), in the words of the conventions. */
const STATES: Readonly<Record<string, string>> = {
  '01': 'established',
  '02': 'syn_sent',
  '03': 'syn_received',
  '04': 'fin_wait_1',
  '05': 'fin_wait_2',
  '06': 'time_wait',
  '07': 'closed',
  '08': 'close_wait',
  '09': 'last_ack',
  '0A': 'listen',
  '0B': 'closing',
};

/** Counters of TCP: file, row and column, and what they are called here. */
const TCP = [
  [
    'snmp',
    'Tcp',
    'RetransSegs',
    counter('kindling.host.tcp.retransmits', '{segment}', 'Segments sent again.'),
  ],
  ['snmp', 'Tcp', 'OutSegs', counter('kindling.host.tcp.segments.sent', '{segment}', 'Segments sent.')],
  [
    'snmp',
    'Tcp',
    'InSegs',
    counter('kindling.host.tcp.segments.received', '{segment}', 'Segments received.'),
  ],
  [
    'snmp',
    'Tcp',
    'InErrs',
    counter('kindling.host.tcp.errors', '{segment}', 'Segments received with errors.'),
  ],
  ['snmp', 'Tcp', 'OutRsts', counter('kindling.host.tcp.resets.sent', '{segment}', 'Resets sent.')],
  [
    'snmp',
    'Tcp',
    'EstabResets',
    counter('kindling.host.tcp.resets.established', '{connection}', 'Connections that ended by a reset.'),
  ],
  [
    'snmp',
    'Tcp',
    'AttemptFails',
    counter('kindling.host.tcp.connect.failures', '{connection}', 'Connection attempts that failed.'),
  ],
  [
    'netstat',
    'TcpExt',
    'ListenOverflows',
    counter(
      'kindling.host.tcp.listen.overflows',
      '{connection}',
      'Connections that found an accept queue full.',
    ),
  ],
  [
    'netstat',
    'TcpExt',
    'ListenDrops',
    counter('kindling.host.tcp.listen.drops', '{connection}', 'Connections that a listener dropped.'),
  ],
  [
    'netstat',
    'TcpExt',
    'TCPToZeroWindowAdv',
    counter(
      'kindling.host.tcp.zero_windows.sent',
      '{event}',
      'How often a receiver of this host told its peer to stop sending.',
    ),
  ],
  [
    'netstat',
    'TcpExt',
    'TCPTimeouts',
    counter('kindling.host.tcp.retransmit_timeouts', '{event}', 'Retransmissions by timeout.'),
  ],
] as const;

const OPEN = gauge('kindling.host.tcp.connections', '{connection}', 'Connections that are established.');

export function scrapeNetwork(files: HostFiles): Measurement[] {
  return files.netLines('dev').flatMap((line) => {
    const match = /^\s*([^:]+):\s*(.+)$/.exec(line);
    if (match === null) return [];
    const name = match[1]!;
    const numbers = match[2]!.split(/\s+/).map(Number);
    if (numbers.length < 16) return [];
    const both = (metric: typeof IO, received: number, sent: number, key = 'network.interface.name') =>
      (
        [
          ['receive', received],
          ['transmit', sent],
        ] as const
      ).map(([direction, column]) => ({
        metric,
        attributes: { [key]: name, 'network.io.direction': direction },
        value: numbers[column]!,
      }));
    return [
      ...both(IO, 0, 8),
      ...both(PACKETS, 1, 9, 'system.device'),
      ...both(ERRORS, 2, 10),
      ...both(DROPPED, 3, 11),
    ];
  });
}

export function scrapeConnections(files: HostFiles): Measurement[] {
  const counts = new Map<string, number>(Object.values(STATES).map((state) => [state, 0]));
  for (const name of ['tcp', 'tcp6']) {
    for (const line of files.netLines(name).slice(1)) {
      const state = STATES[line.trim().split(/\s+/, 4)[3] ?? ''];
      if (state !== undefined) counts.set(state, counts.get(state)! + 1);
    }
  }
  return [...counts].map(([state, value]) => ({
    metric: CONNECTIONS,
    attributes: { 'network.transport': 'tcp', 'network.connection.state': state },
    value,
  }));
}

export function scrapeTcp(files: HostFiles): Measurement[] {
  const tables = new Map<string, Map<string, number>>();
  for (const file of ['snmp', 'netstat']) {
    // Two lines for each protocol: names, then values.
    const lines = files.netLines(file);
    for (let index = 0; index + 1 < lines.length; index += 2) {
      const [protocol = '', ...names] = lines[index]!.split(' ');
      const [, ...values] = lines[index + 1]!.split(' ');
      const table = new Map(names.map((name, column) => [name, Number(values[column])]));
      tables.set(`${file} ${protocol.replace(':', '')}`, table);
    }
  }
  const measurements: Measurement[] = TCP.flatMap(([file, protocol, name, metric]) => {
    const value = tables.get(`${file} ${protocol}`)?.get(name);
    return value === undefined || Number.isNaN(value) ? [] : [{ metric, attributes: {}, value }];
  });
  const open = tables.get('snmp Tcp')?.get('CurrEstab');
  return open === undefined ? measurements : [...measurements, { metric: OPEN, attributes: {}, value: open }];
}

export const NETWORK_METRICS = [
  IO,
  PACKETS,
  DROPPED,
  ERRORS,
  CONNECTIONS,
  ...TCP.map(([, , , metric]) => metric),
  OPEN,
];
