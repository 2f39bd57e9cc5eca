/** HTTP and TLS servers under wrk: Node.js in clear and with TLS, nginx. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, freePort, output, startListening, startWithPort, stopChild } from './processes.js';
import type { Load, Subject, Target } from './subject.js';

const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 16);
const PAUSE = 'bench/programs/wrk-pause.lua';

export const nodeHttp: Subject = {
  name: 'Node.js HTTP',
  spans: true,
  start: () => nodeServer('http', []),
};

export const nodeTls: Subject = {
  name: 'Node.js HTTPS',
  spans: false,
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await output(findTool('openssl'), [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
    ]);
    const target = await nodeServer('https', [key, certificate]);
    rmSync(folder, { recursive: true });
    return target;
  },
};

export const nginx: Subject = {
  name: 'nginx',
  spans: true,
  async start() {
    const program = findTool('nginx', ['/usr/sbin']);
    const folder = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
    const port = await freePort();
    const file = join(folder, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; location / { return 200 "${'x'.repeat(128)}"; } }
}`,
    );
    const child = await startListening(program, ['-p', folder, '-c', file], port);
    return {
      pid: child.pid!,
      include: { commands: ['nginx'] },
      load: (seconds, rate) => wrk(`http://127.0.0.1:${port}/orders/42`, seconds, rate),
      async stop() {
        await stopChild(child);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

async function nodeServer(scheme: 'http' | 'https', args: readonly string[]): Promise<Target> {
  findTool('wrk');
  const { child, port } = await startWithPort(process.execPath, ['bench/programs/http-server.mjs', ...args]);
  const load = (seconds: number, rate: number | undefined) =>
    wrk(`${scheme}://127.0.0.1:${port}/orders/42`, seconds, rate);
  return { pid: child.pid!, include: { pids: [child.pid!] }, load, stop: () => stopChild(child) };
}

/**
 * wrk has no rate, but its connections can pause before each request: twice as many connections as requests in ten
 * milliseconds, each with a pause of twenty, give `rate` less what the answers take.
 */
async function wrk(url: string, seconds: number, rate: number | undefined): Promise<Load> {
  const connections = rate === undefined ? CONNECTIONS : Math.max(2, Math.round(rate / 50));
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency'];
  const env = { ...process.env, WRK_PAUSE_MS: '20' };
  const text = await output(findTool('wrk'), [...args, ...(rate === undefined ? [] : ['-s', PAUSE]), url], {
    env,
  });
  const requests = /(\d+) requests in/.exec(text)?.[1];
  if (requests === undefined) throw new Error(`wrk printed no count:\n${text}`);
  return { requests: Number(requests), p50Us: percentile(text, 50), p99Us: percentile(text, 99) };
}

const UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 6e7 };

function percentile(text: string, percent: number): number | undefined {
  const match = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s|m)$`, 'm').exec(text);
  return match === null ? undefined : Number(match[1]) * UNITS[match[2]!]!;
}
