/** Clients that are many, slow, silent, or send more than they should. Beside each of them a good client must get through. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  killLeftovers,
  type Running,
  removeTemporaryDirectories,
  startAgent,
} from '../helpers/agent.js';
import { CountingBackend } from '../helpers/faults/counting-backend.js';
import { exporterAccount, faultConfig } from '../helpers/faults/faulty-agent.js';
import { NumberingSender } from '../helpers/faults/numbering-sender.js';

const MIB = 2 ** 20;
/** Connections of the test; each takes a descriptor here and one in the agent. */
const MOST_CONNECTIONS = 10_000;

let backend = new CountingBackend();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await killLeftovers();
  await backend.stop();
  backend = new CountingBackend();
  removeTemporaryDirectories();
});

const statusOf = (agent: Running, field: 'VmHWM' | 'VmRSS'): number =>
  Number(
    new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${agent.child.pid}/status`, 'utf8'))?.[1],
  ) / 1024;

const descriptorLimit = (pid: number | 'self'): number =>
  Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? 0);

async function startWith(receiver: Record<string, unknown> = {}) {
  await backend.start();
  const port = await freePort();
  const agent = await startAgent(faultConfig({ receiverPort: port, backendPort: backend.port, receiver }));
  return { agent, port };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  // Reads what comes: the end of the connection would not be seen otherwise.
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  return socket;
}

/** A good client sends `spans`, and all of them arrive. */
async function goodClient(port: number, spans = 200): Promise<void> {
  const sender = new NumberingSender({ port });
  const before = backend.counts.size;
  sender.start();
  await expect.poll(() => sender.acknowledged.size >= spans, { timeout: 30_000, interval: 20 }).toBe(true);
  await sender.stop();
  expect([...sender.answers.keys()]).toEqual([200]);
  await expect.poll(() => backend.missing(sender.acknowledged).length, { timeout: 30_000 }).toBe(0);
  expect(backend.counts.size).toBeGreaterThanOrEqual(Math.max(before, spans));
}

/** Resolves to the status, or 0 when the connection ended without one. */
function post(port: number, body: Buffer, headers: http.OutgoingHttpHeaders, times = 1): Promise<number> {
  return new Promise((resolve) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path: '/v1/traces',
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', ...headers },
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.resume().on('error', () => {});
      },
    );
    request.on('error', () => resolve(0));
    let left = times;
    const write = (): void => {
      while (left-- > 0) if (!request.write(body)) return void request.once('drain', write);
      request.end();
    };
    write();
  });
}

describe('clients', () => {
  it('10,000 connections, or as many as there are descriptors for', async () => {
    const { agent, port } = await startWith();
    const possible = Math.min(descriptorLimit('self'), descriptorLimit(agent.child.pid!)) - 500;
    const wanted = Math.min(MOST_CONNECTIONS, possible);
    for (let batch = 0; batch * 500 < wanted; batch++) {
      await Promise.all(Array.from({ length: Math.min(500, wanted - batch * 500) }, () => open(port)));
    }
    const inodes = readFileSync(`/proc/${agent.child.pid}/net/tcp`, 'utf8').split('\n');
    const established = inodes.filter((line) =>
      line.includes(`0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 0100007F`),
    );
    expect(established.length).toBeGreaterThanOrEqual(wanted);
    await goodClient(port);
    console.log(`${wanted} connections: resident ${statusOf(agent, 'VmRSS').toFixed(0)} MiB`);
    expect(await agent.stop()).toBe(0);
    expect(exporterAccount(agent)).toMatchObject({ dropped: 0, held: 0 });
  });

  it('that send a byte at a time are cut off in the end', async () => {
    const { agent, port } = await startWith({ read_header_timeout: '1s', read_timeout: '2s' });
    const slow = await Promise.all(Array.from({ length: 100 }, () => open(port)));
    let closed = 0;
    const text = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000\r\n\r\n`;
    const timers = slow.map((socket, index) => {
      // Half of them never end their headers, half never their body.
      let at = 0;
      if (index % 2 === 1) socket.write(text);
      socket.on('close', () => closed++);
      return setInterval(() => socket.write(index % 2 === 0 ? text[at++ % 20]! : 'x'), 100);
    });
    await goodClient(port);
    await expect.poll(() => closed, { timeout: 60_000, interval: 200 }).toBe(slow.length);
    for (const timer of timers) clearInterval(timer);
    expect(await agent.stop()).toBe(0);
  });

  it('that fall silent in the middle of a request are cut off, and their memory is free again', async () => {
    const { agent, port } = await startWith({ read_timeout: '2s' });
    const silent = await Promise.all(Array.from({ length: 20 }, () => open(port)));
    let closed = 0;
    for (const socket of silent) {
      socket.on('close', () => closed++);
      socket.write(
        'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\ncontent-length: 4000000\r\n\r\n',
      );
      socket.write(Buffer.alloc(2 * MIB));
    }
    await goodClient(port);
    await expect.poll(() => closed, { timeout: 60_000, interval: 200 }).toBe(silent.length);
    await goodClient(port);
    expect(await agent.stop()).toBe(0);
  });

  it('that send 100 MB are refused without it being held', async () => {
    const { agent, port } = await startWith();
    await goodClient(port);
    const before = statusOf(agent, 'VmHWM');
    const chunk = Buffer.alloc(MIB);
    // With a length it is known at once, without one after 20 MiB.
    const answers = [
      await post(port, chunk, { 'content-length': 100 * MIB }, 100),
      await post(port, chunk, { 'transfer-encoding': 'chunked' }, 100),
    ];
    // The connection is closed while the client still writes: it may see that instead of the answer.
    for (const status of answers) expect([0, 400, 413]).toContain(status);
    await goodClient(port);
    const grown = statusOf(agent, 'VmHWM') - before;
    console.log(`100 MB bodies: peak grew by ${grown.toFixed(0)} MiB`);
    expect(grown).toBeLessThan(100);
    expect(await agent.stop()).toBe(0);
  });

  it('that send a gzip bomb are refused at the limit', async () => {
    const { agent, port } = await startWith();
    await goodClient(port);
    const before = statusOf(agent, 'VmHWM');
    const bomb = gzipSync(Buffer.alloc(512 * MIB), { level: 9 });
    expect(bomb.length).toBeLessThan(MIB);
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        post(port, bomb, { 'content-encoding': 'gzip', 'content-length': bomb.length }),
      ),
    );
    for (const status of answers) expect([400, 413]).toContain(status);
    await goodClient(port);
    const grown = statusOf(agent, 'VmHWM') - before;
    console.log(`4 bombs of 512 MiB: peak grew by ${grown.toFixed(0)} MiB`);
    expect(grown).toBeLessThan(256);
    expect(await agent.stop()).toBe(0);
  });
});
