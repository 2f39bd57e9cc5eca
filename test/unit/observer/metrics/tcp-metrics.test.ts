import { describe, expect, it } from 'vitest';
import { DEFAULT_AGGREGATION, MetricsAggregator } from '../../../../src/metrics/aggregator.js';
import { measurementOptions, metricsConfig } from '../../../../src/observer/metrics/config.js';
import { ServiceGroups } from '../../../../src/observer/metrics/service-groups.js';
import { TCP_METRICS } from '../../../../src/observer/metrics/tcp-definitions.js';
import { TcpMetrics } from '../../../../src/observer/metrics/tcp-metrics.js';
import type { NetCloseRecord, NetOpenRecord, SocketTuple } from '../../../../src/observer/types.js';
import { timeFromMs } from '../../../../src/otlp/time.js';
import { flatMetrics, lastPoints, totalValue } from '../../../helpers/decoded-metrics.js';
import { InlineObserver, testProcesses } from '../../../helpers/observer.js';

const CLIENT = 100;
const SERVER = 200;
const TO_SERVER = { 'server.address': '10.0.0.9', 'server.port': 443 };
const tuple: SocketTuple = {
  family: 'inet',
  localAddress: '10.0.0.1',
  localPort: 40_000,
  remoteAddress: '10.0.0.9',
  remotePort: 443,
};

function create(maxConnections = 100) {
  const aggregator = new MetricsAggregator(
    { ...DEFAULT_AGGREGATION, scope: 'test', version: '1' },
    timeFromMs(1000),
  );
  const groups = new ServiceGroups({ agentId: 'a', hostName: 'h' }, aggregator, testProcesses);
  const tcp = new TcpMetrics(maxConnections, (tgid) => groups.of(tgid));
  let nowMs = 1000;
  const collect = () => {
    tcp.collect();
    nowMs += 1000;
    const batches = aggregator.collect(timeFromMs(nowMs));
    groups.forget();
    return (name: string) =>
      lastPoints(batches, `kindling.tcp.${name}`).map(({ attributes, asInt, asDouble }) => [
        attributes,
        Number(asInt ?? asDouble),
      ]);
  };
  const open = (socketCookie: number, fields: Partial<NetOpenRecord> = {}) =>
    tcp.opened({ time: 5e9, tgid: CLIENT, tid: 1, socketCookie, connectStart: 0, role: 1, tuple, ...fields });
  const close = (socketCookie: number, fields: Partial<NetCloseRecord> & { unconnected?: boolean } = {}) =>
    tcp.closed({
      time: 6e9,
      tgid: CLIENT,
      socketCookie,
      bytesSent: 0,
      bytesReceived: 0,
      turns: 0,
      error: 0,
      tuple,
      ...fields,
    });
  return { aggregator, tcp, collect, open, close };
}

describe('TcpMetrics', () => {
  it('counts connections by side, how they ended and what they carried', () => {
    const { open, close, collect } = create();
    open(1);
    open(2, { tgid: SERVER, role: 2, tuple: { ...tuple, localPort: 8080 } });
    open(3);
    close(1, { bytesSent: 10, bytesReceived: 2000 });
    close(3, { error: 104, turns: 2, bytesSent: 5 });
    const points = collect();
    const client = { 'kindling.side': 'client', ...TO_SERVER };
    expect(points('connections.opened')).toEqual([
      [client, 2],
      [{ 'kindling.side': 'server', 'server.port': 8080 }, 1],
    ]);
    expect(points('connections.closed')).toEqual([
      [client, 1],
      [{ ...client, 'error.type': 'reset' }, 1],
    ]);
    expect(points('io')).toEqual([
      [{ ...client, 'network.io.direction': 'transmit' }, 15],
      [{ ...client, 'network.io.direction': 'receive' }, 2000],
    ]);
    expect(points('connections')).toEqual([
      [{ 'kindling.side': 'client' }, 0],
      [{ 'kindling.side': 'server' }, 0],
      [{ 'kindling.side': 'client' }, 0],
      [{ 'kindling.side': 'server' }, 1],
    ]);
  });

  it('shows what is open until it is closed, also what is older than the agent', () => {
    const { open, close, collect } = create();
    open(1);
    open(2, { existing: true });
    open(2);
    const first = collect();
    expect(first('connections')[0]).toEqual([{ 'kindling.side': 'client' }, 2]);
    expect(first('connections.opened')[0]?.[1]).toBe(1);
    close(1);
    close(2);
    expect(collect()('connections')[0]?.[1]).toBe(0);
  });

  it('takes the oldest for closed when there are too many', () => {
    const { open, collect } = create(3);
    for (let cookie = 1; cookie <= 10; cookie++) open(cookie);
    expect(collect()('connections')[0]?.[1]).toBe(3);
  });

  it('times connects', () => {
    const { open, aggregator } = create();
    open(1, { connectStart: 5e9 - 2e6 });
    open(2, { connectStart: 5e9 - 4e6 });
    open(3);
    const [point] = lastPoints(aggregator.collect(timeFromMs(9000)), 'kindling.tcp.connect.duration');
    expect(point).toMatchObject({ count: 2n, attributes: TO_SERVER });
    expect(point?.sum).toBeCloseTo(0.006, 9);
  });

  it('counts connects that fail by reason, and nothing that only looks so', () => {
    const { close, collect } = create();
    close(1, { error: 111 });
    close(2, { error: 110, unconnected: true });
    close(3, { error: 22 });
    // Its opening was lost, but not what it has done.
    close(4, { error: 104, turns: 2 });
    close(5, { error: 104, unconnected: false });
    // Given up by the program itself.
    close(6);
    expect(collect()('connect.failures')).toEqual([
      [{ 'error.type': 'connection_refused', ...TO_SERVER }, 1],
      [{ 'error.type': 'timeout', ...TO_SERVER }, 1],
      [{ 'error.type': 'errno_22', ...TO_SERVER }, 1],
    ]);
  });

  it('passes over unix sockets', () => {
    const { open, close, collect } = create();
    const unix = { ...tuple, family: 'unix' } as const;
    open(1, { tuple: unix });
    close(1, { tuple: unix, error: 32 });
    expect(collect()('connections.opened')).toEqual([]);
  });

  it('sees what the observer sees, under the names that are declared', () => {
    const inline = new InlineObserver({
      metrics: measurementOptions(metricsConfig().parse({}), 'agent', 'localhost', true),
    });
    for (let port = 1; port <= 5; port++) {
      inline.exchange(port, 'GET /a HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }
    inline.observer.flush();
    expect(totalValue(lastPoints(inline.metricBatches, 'kindling.tcp.connections.opened'))).toBe(10);
    expect(totalValue(lastPoints(inline.metricBatches, 'kindling.tcp.connections.closed'))).toBe(10);
    const declared = new Map(TCP_METRICS.map((metric) => [metric.name, new Set(metric.attributes)]));
    const own = flatMetrics(inline.metricBatches).filter(({ name }) => name.startsWith('kindling.tcp.'));
    expect(own.length).toBeGreaterThan(4);
    for (const { name, points } of own) {
      for (const { attributes } of points) {
        for (const key of Object.keys(attributes))
          expect(declared.get(name)?.has(key), `${name} ${key}`).toBe(true);
      }
    }
  });
});
