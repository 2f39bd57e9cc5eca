import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Batch } from '../../../../src/component/signal.js';
import { hostMetricsConfig } from '../../../../src/receiver/host_metrics/config.js';
import { HostMetricsReceiver } from '../../../../src/receiver/host_metrics/host-metrics.js';
import { testSettings } from '../../../helpers/batches.js';
import { flatMetrics } from '../../../helpers/decoded-metrics.js';
import { waitUntil } from '../../../helpers/kernel.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A host of files. */
function hostOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'kindling-host-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** What one reading gives. */
async function read(config: object): Promise<ReturnType<typeof flatMetrics>> {
  const out: Batch[] = [];
  const receiver = new HostMetricsReceiver(
    testSettings({ kind: 'receiver', id: 'host_metrics' }),
    hostMetricsConfig().parse({ initial_delay: '1ns', collection_interval: '1h', ...config }),
    {
      consume: async (batch) => {
        out.push(batch);
      },
    },
  );
  await receiver.start();
  await waitUntil(() => out.length > 0);
  await receiver.shutdown();
  return flatMetrics(out);
}

const FILES = {
  'proc/stat': `cpu  100 0 0 0 0 0 0 0 0 0
cpu0 1000 20 300 4000 50 6 7 8 0 0
cpu1 2000 20 300 4000 50 6 7 8 0 0
btime 1700000000
`,
  'proc/loadavg': '0.50 1.25 2.00 1/123 456\n',
  'proc/uptime': '1000.50 900.00\n',
  'proc/meminfo': `MemTotal:       1000 kB
MemFree:         200 kB
MemAvailable:    500 kB
Buffers:          50 kB
Cached:          300 kB
SReclaimable:     20 kB
SUnreclaim:       10 kB
SwapTotal:       100 kB
SwapFree:         60 kB
`,
  'proc/vmstat': 'pgfault 900\npgmajfault 30\npswpin 4\npswpout 5\n',
  'proc/diskstats':
    '   8       0 sda 10 1 200 3000 20 2 400 5000 0 6000 8000 0 0 0 0\n   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1\n',
  'proc/1/net/dev': `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 1000      10    1    2    0     0          0         0     3000      30    3    4    0     0       0          0
`,
  'proc/1/net/snmp': `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RetransSegs OutSegs InSegs OutRsts EstabResets AttemptFails CurrEstab
Tcp: 1 17 1000 900 5 6 7 8
`,
  'proc/1/net/netstat': 'TcpExt: ListenOverflows ListenDrops TCPTimeouts\nTcpExt: 3 4 5\n',
  'proc/1/net/tcp': `  sl  local_address rem_address   st tx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F90 0100007F:1234 01 00000000:00000000
   2: 0100007F:1F90 0100007F:1235 01 00000000:00000000
`,
  'sys/fs/cgroup/cpu.stat': 'usage_usec 5\n',
  'sys/fs/cgroup/system.slice/app.service/cpu.stat':
    'usage_usec 1000\nnr_periods 100\nnr_throttled 25\nthrottled_usec 1500000\n',
  'proc/42/stat': `42 (my (app)) S 1 42 42 0 -1 0 500 0 7 0 250 50 0 0 20 0 3 0 20000 4096000 100 ${'0 '.repeat(28)}\n`,
  'proc/42/status': `Name:\tmy (app)\nVmRSS:\t    2048 kB\nThreads:\t3\nvoluntary_ctxt_switches:\t11\nnonvoluntary_ctxt_switches:\t12\n`,
  'proc/42/io': 'read_bytes: 4096\nwrite_bytes: 8192\n',
  'proc/42/fd/0': '',
  'proc/42/fd/1': '',
  'proc/42/cmdline': 'node\0app.js\0',
  'proc/42/comm': 'my (app)\n',
};

describe('host_metrics', () => {
  it('reads what the kernel says of the host, under the names of the conventions', async () => {
    const metrics = await read({
      root_path: hostOf(FILES),
      scrapers: {
        cpu: null,
        load: null,
        memory: null,
        paging: null,
        disk: null,
        network: null,
        connections: null,
        tcp: null,
        cgroup: null,
        system: null,
      },
    });
    const value = (name: string, attributes: object = {}): number | undefined => {
      const point = metrics
        .find((metric) => metric.name === name)
        ?.points.find((one) =>
          Object.entries(attributes).every(([key, wanted]) => one.attributes[key] === wanted),
        );
      return point === undefined ? undefined : Number(point.asInt ?? point.asDouble);
    };
    expect(value('system.cpu.time', { 'cpu.logical_number': 0, 'cpu.mode': 'user' })).toBe(10);
    expect(value('system.cpu.time', { 'cpu.logical_number': 1, 'cpu.mode': 'iowait' })).toBe(0.5);
    expect(value('system.cpu.logical.count')).toBe(2);
    expect(value('system.cpu.load_average.5m')).toBe(1.25);
    expect(value('system.uptime')).toBe(1000.5);
    expect(value('system.memory.usage', { 'system.memory.state': 'used' })).toBe(430 * 1024);
    const states = metrics.find(({ name }) => name === 'system.memory.usage')?.points ?? [];
    expect(states.reduce((sum, { asInt = 0n }) => sum + Number(asInt), 0)).toBe(value('system.memory.limit'));
    expect(value('system.memory.linux.available')).toBe(500 * 1024);
    expect(value('system.paging.usage', { 'system.paging.state': 'used' })).toBe(40 * 1024);
    expect(value('system.paging.faults', { 'system.paging.fault.type': 'minor' })).toBe(870);
    const disk = { 'system.device': 'sda', 'disk.io.direction': 'write' };
    expect(value('system.disk.io', disk)).toBe(400 * 512);
    expect(value('system.disk.operations', disk)).toBe(20);
    expect(value('system.disk.operation_time', disk)).toBe(5);
    expect(value('system.disk.io_time', { 'system.device': 'sda' })).toBe(6);
    expect(value('system.disk.io', { 'system.device': 'loop0' })).toBeUndefined();
    const sent = { 'network.interface.name': 'eth0', 'network.io.direction': 'transmit' };
    expect(value('system.network.io', sent)).toBe(3000);
    expect(value('system.network.errors', sent)).toBe(3);
    expect(value('system.network.packet.dropped', sent)).toBe(4);
    expect(value('system.network.packet.count', { 'network.io.direction': 'receive' })).toBe(10);
    expect(value('system.network.connection.count', { 'network.connection.state': 'established' })).toBe(2);
    expect(value('system.network.connection.count', { 'network.connection.state': 'listen' })).toBe(1);
    expect(value('kindling.host.tcp.retransmits')).toBe(17);
    expect(value('kindling.host.tcp.listen.overflows')).toBe(3);
    expect(value('kindling.host.tcp.connections')).toBe(8);
    expect(value('kindling.host.tcp.zero_windows.sent')).toBeUndefined();
    const group = { 'linux.cgroup': '/system.slice/app.service' };
    expect(value('kindling.cgroup.cpu.throttled.time', group)).toBe(1.5);
    expect(value('kindling.cgroup.cpu.throttled.periods', group)).toBe(25);
    const cpu = metrics.find(({ name }) => name === 'system.cpu.time')!;
    expect(cpu).toMatchObject({ unit: 's', sum: { isMonotonic: true, aggregationTemporality: 2 } });
    expect(cpu.points[0]?.startTimeUnixNano).toBe(1_700_000_000_000_000_000n);
    expect(cpu.resource).toMatchObject({ 'service.name': 'host', 'os.type': 'linux' });
  });

  it('reads processes, each a resource that counts since its own start', async () => {
    const root = hostOf(FILES);
    const metrics = await read({ root_path: root, scrapers: { process: {} } });
    const resource = metrics[0]?.resource;
    expect(resource).toMatchObject({
      'process.pid': 42,
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    const points = (name: string) => metrics.find((metric) => metric.name === name)?.points ?? [];
    expect(
      points('process.cpu.time').map(({ attributes, asDouble }) => [attributes['cpu.mode'], asDouble]),
    ).toEqual([
      ['user', 2.5],
      ['system', 0.5],
    ]);
    expect(points('process.cpu.time')[0]?.startTimeUnixNano).toBe(1_700_000_200_000_000_000n);
    expect(points('process.memory.usage')[0]?.asInt).toBe(2048n * 1024n);
    expect(points('process.memory.virtual')[0]?.asInt).toBe(4_096_000n);
    expect(points('process.thread.count')[0]?.asInt).toBe(3n);
    expect(points('process.unix.file_descriptor.count')[0]?.asInt).toBe(2n);
    expect(points('process.context_switches').map(({ asInt }) => asInt)).toEqual([11n, 12n]);
    expect(points('process.disk.io').map(({ asInt }) => asInt)).toEqual([4096n, 8192n]);
    expect(points('process.paging.faults').map(({ asInt }) => asInt)).toEqual([500n, 7n]);
    expect(points('process.uptime')[0]?.asDouble).toBe(800.5);
  });

  it('leaves processes out by name and number', async () => {
    const root = hostOf({ ...FILES, 'proc/1/stat': '', 'proc/43/x': '' });
    cpSync(join(root, 'proc/42'), join(root, 'proc/44'), { recursive: true });
    const scrape = async (process: object) => {
      const metrics = await read({ root_path: root, scrapers: { process, system: null } });
      return new Set(
        metrics.map(({ resource }) => resource['process.pid']).filter((pid) => pid !== undefined),
      );
    };
    expect(await scrape({})).toEqual(new Set([42, 44]));
    expect(await scrape({ max_processes: 1 })).toEqual(new Set([42]));
    expect(await scrape({ exclude: { commands: ['my (app)'] } })).toEqual(new Set());
    expect(await scrape({ include: { commands: ['other'] } })).toEqual(new Set());
  });

  it('reads this machine', async () => {
    const metrics = await read({
      scrapers: {
        cpu: null,
        memory: null,
        system: null,
        network: null,
        process: { include: { commands: ['node'] } },
      },
    });
    const names = new Set(metrics.map(({ name }) => name));
    for (const name of ['system.cpu.time', 'system.memory.usage', 'system.uptime', 'system.network.io']) {
      expect(names).toContain(name);
    }
  });

  it('says so when nothing is to be read', () => {
    expect(() => hostMetricsConfig().parse({ scrapers: {} })).toThrow('at least one scraper');
  });
});
