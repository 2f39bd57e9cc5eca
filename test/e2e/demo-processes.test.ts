/** The demo application as a user runs it: real processes, a real SDK, OTLP over HTTP to a server of this test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainTrace, readSpans } from '../../src/explain/trace-explanation.js';

const MAIN = fileURLToPath(new URL('../../demo/main.mjs', import.meta.url));
const batches: Uint8Array[] = [];
let server: Server;
let demo: ChildProcess;
let stderr = '';

beforeEach(async () => {
  batches.length = 0;
  stderr = '';
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      batches.push(Buffer.concat(chunks));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  if (demo.exitCode === null && demo.signalCode === null) demo.kill('SIGTERM');
  server.closeAllConnections();
  server.close();
});

const startDemo = (...argv: string[]): void => {
  const { port } = server.address() as AddressInfo;
  demo = spawn(process.execPath, [MAIN, '--rate', '20', '--endpoint', `http://127.0.0.1:${port}`, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  demo.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
};

/** Polls until `find` gives something; the test's own timeout ends it. */
const until = async <T>(find: () => T | undefined): Promise<T> => {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await sleep(50);
  }
};

/** Living processes whose parent is `pid`. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => {
      try {
        const stat = readFileSync(`/proc/${child}/stat`, 'latin1');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return fields[0] !== 'Z' && Number(fields[1]) === pid;
      } catch {
        return false;
      }
    });
const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};
const allChildren = (): Promise<number[]> =>
  until(() => {
    const pids = childrenOf(demo.pid ?? 0);
    return stderr.includes('demo: shop at') ? pids : undefined;
  });

const expectNoFiles = (pids: readonly number[]): void => {
  for (const pid of pids) expect(existsSync(`/tmp/perf-${pid}.map`), `perf map of ${pid}`).toBe(false);
  expect(existsSync(`.kindling/demo-${demo.pid}`)).toBe(false);
};

describe('demo', () => {
  it('sends traces that cross its services, and ends by itself', async () => {
    startDemo('--seconds', '4');
    const [code] = await once(demo, 'exit');
    expect(code, stderr).toBe(0);
    const names = new Map<string, Set<string>>();
    for (const spans of readSpans(batches, () => true).values()) {
      const trace = explainTrace(spans);
      if (trace?.entry.span.service !== 'shop') continue;
      names.set(
        trace.entry.span.name,
        new Set([...(names.get(trace.entry.span.name) ?? []), ...trace.services]),
      );
    }
    expect(Object.fromEntries([...names].map(([name, services]) => [name, [...services].sort()]))).toEqual({
      'GET /report': ['load', 'shop'],
      'GET /stock/{id}': ['inventory', 'load', 'shop'],
      'GET /price/{id}': ['load', 'pricing', 'shop'],
      'GET /order/{id}': ['load', 'shop'],
    });
  });

  it('leaves no process and no file behind when it is killed', async () => {
    startDemo();
    const pids = await allChildren();
    expect(pids.length).toBe(5);
    demo.kill('SIGKILL');
    await until(() => (pids.some(isAlive) ? undefined : true));
    expectNoFiles(pids);
  });

  it('ends with an error when one of its processes dies', async () => {
    startDemo();
    const pids = await allChildren();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    const [code] = await once(demo, 'exit');
    expect(code).toBe(1);
    expect(stderr).toContain('ended unexpectedly (SIGKILL)');
    await until(() => (pids.some(isAlive) ? undefined : true));
    expectNoFiles(pids);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('stops cleanly on %s', async (signal) => {
    startDemo();
    const pids = await allChildren();
    demo.kill(signal);
    const [code] = await once(demo, 'exit');
    expect(code).toBe(0);
    expect(pids.some(isAlive)).toBe(false);
    expectNoFiles(pids);
  });
});
