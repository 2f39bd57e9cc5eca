/** A request that goes curl -> haproxy -> nginx is four exchanges: each is counted once, and they are one trace. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect } from 'vitest';
import { describeKernel, netVariants } from '../helpers/kernel.js';
import { Observation, type ObservedSpan } from '../helpers/observe.js';
import { TestCertificate } from '../helpers/tls-certificate.js';
import { freeTcpPort, itWith, Workbench } from '../helpers/tools.js';

const run = promisify(execFile);
const bench = new Workbench();
const REQUESTS = 60;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

interface Servers {
  readonly haproxy: { readonly pid: number; readonly port: number };
  readonly nginx: { readonly pid: number; readonly port: number };
  /** Requests that nginx has answered. */
  answered(): number;
}

async function listening(port: number): Promise<void> {
  const open = () =>
    new Promise<boolean>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' }, () => resolve(true));
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy());
    });
  for (let i = 0; i < 1000; i++) {
    if (await open()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Nobody listens on ${port}.`);
}

/** nginx behind haproxy, each in one process of one thread; with a certificate both connections are TLS. */
async function start(certificate?: TestCertificate): Promise<Servers> {
  const folder = bench.folder();
  const [front, back] = [await freeTcpPort(), await freeTcpPort()];
  const nginxTls = certificate
    ? `ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key};`
    : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 256; }
     http {
       keepalive_requests 1000000;
       log_format brief '$status'; access_log ${folder}/access.log brief;
       client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
       uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       server {
         listen 127.0.0.1:${back}${certificate ? ' ssl' : ''}; ${nginxTls}
         location / { return 200 'hello'; }
         location /missing { return 404; }
       }
     }`,
  );
  const pem = join(folder, 'both.pem');
  if (certificate)
    writeFileSync(pem, readFileSync(certificate.cert, 'utf8') + readFileSync(certificate.key, 'utf8'));
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    `global
       nbthread 1
     defaults
       mode http
       timeout connect 10s
       timeout client 30s
       timeout server 30s
     frontend front
       bind 127.0.0.1:${front}${certificate ? ` ssl crt ${pem} alpn http/1.1` : ''}
       default_backend back
     backend back
       http-reuse always
       server nginx 127.0.0.1:${back}${certificate ? ' ssl verify none' : ''}
`,
  );
  const nginx = bench.start('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
  const haproxy = bench.start('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')]);
  for (const port of [front, back]) await listening(port);
  return {
    haproxy: { pid: haproxy.pid!, port: front },
    nginx: { pid: nginx.pid!, port: back },
    answered: () => readFileSync(join(folder, 'access.log'), 'utf8').split('\n').length - 1,
  };
}

const pathOf = (i: number): string => `${i % 10 === 3 ? '/missing/' : '/items/'}${i}`;

async function curl(scheme: string, port: number): Promise<void> {
  const urls = Array.from({ length: REQUESTS }, (_, i) => `${scheme}://127.0.0.1:${port}${pathOf(i)}`);
  const outputs = urls.flatMap(() => ['-o', '/dev/null']);
  const header = `traceparent: 00-${TRACE}-${CALLER}-01`;
  await run('curl', ['-sk', '--http1.1', '-H', header, ...outputs, ...urls]);
}

const pathIn = ({ attributes }: ObservedSpan): string =>
  String(attributes['url.path'] ?? new URL(String(attributes['url.full'])).pathname);

function expectEveryRequestOnce(spans: readonly ObservedSpan[]): void {
  expect(spans.map(pathIn).sort()).toEqual(Array.from({ length: REQUESTS }, (_, i) => pathOf(i)).sort());
  for (const span of spans) {
    expect(span.attributes['http.response.status_code']).toBe(
      pathIn(span).startsWith('/missing') ? 404 : 200,
    );
    expect(span.attributes['kindling.incomplete']).toBeUndefined();
    expect(span.traceId).toBe(TRACE);
  }
}

for (const variant of netVariants()) {
  describeKernel(`proxies (${variant} variant)`, () => {
    afterEach(() => bench.end());

    for (const scheme of ['http', 'https'] as const) {
      itWith(
        ['haproxy', 'nginx', 'curl', ...(scheme === 'https' ? ['openssl'] : [])],
        `keeps the views of curl, haproxy and nginx apart and links them, ${scheme}`,
        async () => {
          using certificate = scheme === 'https' ? new TestCertificate() : undefined;
          const { haproxy, nginx, answered } = await start(certificate);
          const observation = new Observation({
            net_hooks: variant,
            targets: { default: 'none', include: { pids: [haproxy.pid, nginx.pid], commands: ['curl'] } },
            tiers: { scheduler: 'disabled', cpu: 'disabled' },
            budget: { cpus: 0 },
          });
          await observation.start();
          await curl(scheme, haproxy.port);
          await observation.stop();

          expect(answered()).toBe(REQUESTS);
          const of = (spans: readonly ObservedSpan[], pid: number) =>
            spans.filter(({ resource }) => resource.attributes['process.pid'] === pid);
          const { servers, clients } = observation;
          const views = {
            // Others may use curl at the same time.
            caller: clients.filter(
              (span) =>
                span.traceId === TRACE &&
                ![haproxy.pid, nginx.pid].includes(Number(span.resource.attributes['process.pid'])),
            ),
            front: of(servers, haproxy.pid),
            back: of(clients, haproxy.pid),
            origin: of(servers, nginx.pid),
          };
          for (const spans of Object.values(views)) expectEveryRequestOnce(spans);
          expect(of(clients, nginx.pid)).toEqual([]);
          const chain = [views.front, views.back, views.origin];
          for (const [i, children] of chain.slice(1).entries()) {
            const parents = new Map(chain[i]!.map((span) => [span.spanId, pathIn(span)]));
            for (const child of children) expect(parents.get(child.parentSpanId)).toBe(pathIn(child));
          }
          const tls = [...views.front, ...views.back, ...views.origin].map(
            ({ attributes }) => attributes['tls.protocol.name'],
          );
          expect(new Set(tls)).toEqual(new Set([scheme === 'https' ? 'tls' : undefined]));
          for (const line of observation.accounts) expect(line).toMatchObject({ unaccounted: 0, held: 0 });
        },
        60_000,
      );
    }
  });
}
