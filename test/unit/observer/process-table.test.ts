import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcfsProcessTable } from '../../../src/observer/process-table.js';
import type { SocketTuple } from '../../../src/observer/types.js';

const ID = 'ab'.repeat(32);
let root: string;
let clock: number;
let table: ProcfsProcessTable;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kindling-proc-'));
  clock = 1_000_000;
  table = new ProcfsProcessTable({ root, now: () => clock, maxProcesses: 3 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: string): void {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
}

const stat = (pid: number, comm: string, ticks: number) =>
  `${pid} (${comm}) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ${ticks} 1000 20\n`;

function addProcess(pid: number, comm: string, ticks: number): void {
  write(`${pid}/stat`, stat(pid, comm, ticks));
}

describe('get', () => {
  it('reads all that is known of a process', () => {
    addProcess(42, 'MainThread', 555);
    write('42/status', 'Name:\tMainThread\nNSpid:\t42\t7\n');
    write('42/cmdline', 'node\0--inspect\0/srv/cart.js\0');
    write('42/environ', 'PATH=/bin\0OTEL_RESOURCE_ATTRIBUTES=service.namespace=shop\0');
    write('42/cgroup', `0::/system.slice/docker-${ID}.scope\n`);
    symlinkSync('/usr/bin/node (deleted)', join(root, '42/exe'));
    symlinkSync('/srv', join(root, '42/cwd'));
    expect(table.get(42)).toEqual({
      tgid: 42,
      startTicks: 555,
      comm: 'MainThread',
      executable: '/usr/bin/node',
      commandLine: ['node', '--inspect', '/srv/cart.js'],
      serviceName: 'cart',
      resourceAttributes: { 'service.namespace': 'shop', 'container.id': ID },
      namespacePid: 7,
    });
  });

  it('makes do with stat alone, as for a kernel thread', () => {
    addProcess(2, 'kthreadd', 1);
    expect(table.get(2)).toMatchObject({
      executable: '',
      commandLine: [],
      serviceName: 'kthreadd',
      namespacePid: 2,
    });
  });

  it('returns the same object until something changes', () => {
    addProcess(42, 'a', 1);
    expect(table.get(42)).toBe(table.get(42));
  });

  it('keeps an ended process for a minute', () => {
    addProcess(42, 'a', 1);
    table.get(42);
    rmSync(join(root, '42'), { recursive: true });
    table.invalidate(42, true);
    clock += 59_000;
    expect(table.get(42)?.comm).toBe('a');
    clock += 1_000;
    expect(table.get(42)).toBeUndefined();
  });

  it('keeps a process whose end was missed', () => {
    addProcess(42, 'a', 1);
    table.get(42);
    rmSync(join(root, '42'), { recursive: true });
    clock += 31_000;
    expect(table.get(42)?.comm).toBe('a');
    clock += 61_000;
    expect(table.get(42)).toBeUndefined();
  });

  it('sees that a pid is in use again', () => {
    addProcess(42, 'old', 1);
    table.get(42);
    table.invalidate(42, true);
    addProcess(42, 'new', 2);
    clock += 1_000;
    expect(table.get(42)?.comm).toBe('new');
  });

  it('reads anew after exec', () => {
    addProcess(42, 'sh', 1);
    table.get(42);
    addProcess(42, 'curl', 1);
    expect(table.get(42)?.comm).toBe('sh');
    table.invalidate(42, false);
    expect(table.get(42)?.comm).toBe('curl');
  });

  it('does not look for a process that is not there again and again', () => {
    expect(table.get(42)).toBeUndefined();
    addProcess(42, 'a', 1);
    expect(table.get(42)).toBeUndefined();
    clock += 1_000;
    expect(table.get(42)?.comm).toBe('a');
  });

  it('remembers no more than it may', () => {
    for (const pid of [1, 2, 3, 4]) addProcess(pid, `p${pid}`, pid);
    for (const pid of [1, 2, 3]) table.get(pid);
    const second = table.get(2);
    table.get(4); // pushes out 1, the least recently used
    addProcess(1, 'read again', 1);
    expect(table.get(2)).toBe(second);
    expect(table.get(1)?.comm).toBe('read again');
  });
});

describe('threadName', () => {
  it('reads, remembers and forgets', () => {
    write('42/task/43/comm', 'worker) x\n');
    expect(table.threadName(42, 43)).toBe('worker) x');
    write('42/task/43/comm', 'renamed\n');
    clock += 5_000;
    expect(table.threadName(42, 43)).toBe('renamed');
    rmSync(join(root, '42'), { recursive: true });
    clock += 5_000;
    expect(table.threadName(42, 43)).toBe('renamed');
    clock += 60_000;
    expect(table.threadName(42, 43)).toBe('');
    expect(table.threadName(42, 99)).toBe('');
  });
});

describe('filePath', () => {
  it('gives the path only of the very file', () => {
    const file = join(root, 'data.log');
    writeFileSync(file, '');
    const inode = statSync(file).ino;
    mkdirSync(join(root, '42/fd'), { recursive: true });
    symlinkSync(file, join(root, '42/fd/5'));
    expect(table.filePath(42, 5, inode + 1)).toBeUndefined();
    expect(table.filePath(42, 6, inode)).toBeUndefined();
    expect(table.filePath(42, 5, inode)).toBe(file);
    rmSync(join(root, '42/fd/5')); // closed since
    expect(table.filePath(42, 5, inode)).toBe(file);
    clock += 60_000;
    expect(table.filePath(42, 5, inode)).toBeUndefined();
  });
});

describe('socketOwner', () => {
  const tuple: SocketTuple = {
    family: 'inet',
    localAddress: '127.0.0.1',
    localPort: 8080,
    remoteAddress: '10.0.0.1',
    remotePort: 49153,
  };
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const line = (ends: string, inode: number) =>
    `   0: ${ends} 01 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000\n`;
  const openSocket = (pid: number, inode: number) => {
    mkdirSync(join(root, `${pid}/fd`), { recursive: true });
    symlinkSync(`socket:[${inode}]`, join(root, `${pid}/fd/7`));
  };

  it('finds the owner by inode, and skips sockets that have none', () => {
    write(
      'net/tcp',
      header + line('0100007F:1F90 0100000A:C001', 0) + line('0100007F:1F90 0100000A:C001', 77),
    );
    openSocket(41, 76);
    openSocket(42, 77);
    expect(table.socketOwner(tuple)).toBe(42);
    expect(table.socketOwner({ ...tuple, localPort: 8081 })).toBeUndefined();
    expect(table.socketOwner({ ...tuple, localAddress: 'nonsense' })).toBeUndefined();
  });

  it('finds IPv4 connections of IPv6 sockets, and IPv6 ones', () => {
    write(
      'net/tcp6',
      header +
        line('0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100000A:C001', 77) +
        line('00000000000000000000000001000000:1F90 B80D0120000000000000000002000000:C001', 78),
    );
    openSocket(42, 77);
    openSocket(43, 78);
    expect(table.socketOwner(tuple)).toBe(42);
    expect(
      table.socketOwner({ ...tuple, family: 'inet6', localAddress: '::1', remoteAddress: '2001:db8::2' }),
    ).toBe(43);
  });

  it('looks into other network namespaces', () => {
    write('net/tcp', header);
    mkdirSync(join(root, '42/ns'), { recursive: true });
    symlinkSync('net:[4026532000]', join(root, '42/ns/net'));
    write('42/net/tcp', header + line('0100007F:1F90 0100000A:C001', 77));
    openSocket(42, 77);
    expect(table.socketOwner(tuple)).toBe(42);
  });

  it('finds this very process on the real /proc', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(client, 'connect');
    const { localAddress, localPort, remoteAddress, remotePort } = client;
    const real = new ProcfsProcessTable();
    expect(
      real.socketOwner({
        family: 'inet',
        localAddress: localAddress ?? '',
        localPort: localPort ?? 0,
        remoteAddress: remoteAddress ?? '',
        remotePort: remotePort ?? 0,
      }),
    ).toBe(process.pid);
    client.destroy();
    server.close();
  });
});

describe('on the real /proc', () => {
  it('knows this process', () => {
    const self = new ProcfsProcessTable().get(process.pid);
    expect(self?.executable).toBe(process.execPath);
    expect(self?.startTicks).toBeGreaterThan(0);
    expect(self?.serviceName).not.toBe('');
  });
});
