/**
 * TLS in clear, with programs that nobody here wrote: their requests are counted exactly and said right, whichever
 * library encrypts them and whoever moves the ciphertext.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeKernel, NodeChild } from '../helpers/kernel.js';
import { Observation, type ObservedSpan } from '../helpers/observe.js';
import { TestCertificate } from '../helpers/tls-certificate.js';
import { isInstalled, itWith } from '../helpers/tools.js';

const run = promisify(execFile);
/** The distribution's, which uses its libssl; others may bring their own. */
const PYTHON = '/usr/bin/python3';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const REQUESTS = 40;
const QUIET = { tiers: { scheduler: 'disabled', cpu: 'disabled' } };

let certificate: TestCertificate;
const children: ChildProcess[] = [];
const nodes: NodeChild[] = [];

beforeAll(() => {
  certificate = new TestCertificate();
});

afterAll(() => certificate[Symbol.dispose]());

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.end();
  for (const child of children.splice(0)) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await ended;
  }
});

interface Server {
  readonly pid: number;
  readonly port: number;
}

/** Starts a server that prints its port as its first line. */
async function serve(command: string, args: readonly string[], env = {}): Promise<Server> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  children.push(child);
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (output.includes('\n')) resolve(Number(output));
    });
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
  });
  return { pid: child.pid!, port };
}

function node(script: string): NodeChild {
  const child = new NodeChild(script);
  nodes.push(child);
  return child;
}

async function nodeServer(): Promise<Server> {
  const child = node(`
    const https = require('node:https'), fs = require('node:fs');
    const options = { key: fs.readFileSync('${certificate.key}'), cert: fs.readFileSync('${certificate.cert}') };
    https.createServer(options, (request, response) => {
      response.statusCode = request.url.startsWith('/missing') ? 404 : 200;
      request.resume().on('end', () => response.end('hello'));
    }).listen(0, '127.0.0.1', function () { process.send(this.address().port); });
  `);
  return { port: await child.message<number>(), pid: child.pid };
}

const PYTHON_SERVER = `
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        body = b'hello'
        self.send_response(404 if self.path.startswith('/missing') else 200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[1])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
`;

const pythonServer = (env = {}) =>
  serve(PYTHON, ['-c', PYTHON_SERVER, certificate.key, certificate.cert], env);

const ASYNCIO_SERVER = `
import asyncio, ssl, sys
async def answer(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b'\\r\\n\\r\\n')
            missing = head.split(b' ')[1].startswith(b'/missing')
            status = b'404 Not Found' if missing else b'200 OK'
            writer.write(b'HTTP/1.1 ' + status + b'\\r\\ncontent-length: 5\\r\\n\\r\\nhello')
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[1])
    server = await asyncio.start_server(answer, '127.0.0.1', 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
`;

const GO_SERVER = `
package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := http.Server{
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		Handler: http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			if strings.HasPrefix(request.URL.Path, "/missing") {
				response.WriteHeader(404)
			}
			fmt.Fprint(response, "hello")
		}),
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(server.ServeTLS(listener, os.Args[2], os.Args[1]))
}
`;

/** Builds the Go server; `flags` are the linker's. */
function buildGo(flags: string): string {
  const folder = join(certificate.folder, `go${flags}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'main.go'), GO_SERVER);
  writeFileSync(join(folder, 'go.mod'), 'module tlsserver\n\ngo 1.20\n');
  execFileSync('go', ['build', `-ldflags=${flags}`, '-o', 'server', '.'], { cwd: folder });
  return join(folder, 'server');
}

/** One connection, \`count\` requests, every tenth for what is missing. */
async function curl({ port }: Server, count = REQUESTS): Promise<void> {
  const urls = Array.from({ length: count }, (_, i) => `https://127.0.0.1:${port}${pathOf(i)}`);
  const header = `traceparent: 00-${TRACE}-00f067aa0ba902b7-01`;
  const outputs = urls.flatMap(() => ['-o', '/dev/null']);
  await run('curl', ['-sk', '--http1.1', '-H', header, ...outputs, ...urls]);
}

const pathOf = (i: number): string => `${i % 10 === 3 ? '/missing/' : '/items/'}${i}`;

/** Every request once, with its path and status, of an exchange whose context and address are right. */
function expectExact(spans: readonly ObservedSpan[], server: Server, library: string, evidence: string) {
  const paths = spans.map(({ attributes }) => pathIn(attributes)).sort();
  expect(paths).toEqual(Array.from({ length: REQUESTS }, (_, i) => pathOf(i)).sort());
  for (const { attributes, name } of spans) {
    expect(name).toBe(pathIn(attributes).startsWith('/missing') ? 'GET' : 'GET /items/{id}');
    expect(attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': pathIn(attributes).startsWith('/missing') ? 404 : 200,
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'network.protocol.version': '1.1',
      'tls.protocol.name': 'tls',
      'tls.protocol.version': '1.3',
      'kindling.tls.library': library,
      'kindling.tls.evidence': evidence,
      'kindling.source': 'kernel',
    });
    expect(attributes['kindling.incomplete']).toBeUndefined();
  }
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(REQUESTS);
}

const pathIn = (attributes: Readonly<Record<string, unknown>>): string =>
  String(attributes['url.path'] ?? new URL(String(attributes['url.full'])).pathname);

/** Observes `work`: the servers by pid, other programs by name. */
async function observe(
  pids: readonly number[],
  commands: readonly string[],
  work: () => Promise<unknown>,
  settings: object = {},
): Promise<Observation> {
  const observation = new Observation({
    targets: { default: 'none', include: { pids, commands } },
    ...QUIET,
    ...settings,
  });
  await observation.start();
  try {
    await work();
  } finally {
    await observation.stop();
  }
  for (const line of observation.accounts) expect(line).toMatchObject({ unaccounted: 0, held: 0 });
  return observation;
}

describeKernel('TLS in clear', () => {
  it('sees both ends of Node, which moves the ciphertext itself, and links them', async () => {
    const server = await nodeServer();
    const client = node(`
      const https = require('node:https');
      process.on('message', async ({ port, paths }) => {
        const agent = new https.Agent({ keepAlive: true, maxSockets: 3 });
        const headers = { traceparent: '00-${TRACE}-00f067aa0ba902b7-01' };
        const options = { host: '127.0.0.1', port, agent, headers, rejectUnauthorized: false };
        await Promise.all(paths.map((path) => new Promise((resolve, reject) =>
          https.get({ ...options, path }, (response) => response.resume().on('end', resolve)).on('error', reject))));
        agent.destroy();
        process.send('done');
      });
    `);
    const { servers, clients } = await observe([server.pid, client.pid], [], async () => {
      client.send({ port: server.port, paths: Array.from({ length: REQUESTS }, (_, i) => pathOf(i)) });
      await client.message();
    });
    const unique = servers.map((span, i) => ({ ...span, spanId: String(i) }));
    expectExact(unique, server, 'openssl', 'order');
    expect(clients).toHaveLength(REQUESTS);
    for (const span of servers) expect(span.traceId).toBe(TRACE);
    for (const span of clients) expect(span.attributes['url.full']).toMatch(/^https:\/\/127\.0\.0\.1:/);
  });

  for (const variant of ['socket', 'syscall']) {
    it(`sees a Python server and curl, both with the system's OpenSSL, hooks at ${variant}`, async () => {
      const server = await pythonServer();
      const { servers, clients } = await observe([server.pid], ['curl'], () => curl(server), {
        net_hooks: variant,
      });
      expectExact(servers, server, 'openssl', 'call');
      expect(clients).toHaveLength(REQUESTS);
      const ids = new Set(clients.map(({ spanId }) => spanId));
      for (const span of servers) {
        expect(span.traceId).toBe(TRACE);
        expect([...ids, '00f067aa0ba902b7']).toContain(span.parentSpanId);
      }
    });
  }

  it('sees an asyncio server, which moves the ciphertext itself', async () => {
    const server = await serve(PYTHON, ['-c', ASYNCIO_SERVER, certificate.key, certificate.cert]);
    const { servers } = await observe([server.pid], [], () => curl(server));
    expectExact(servers, server, 'openssl', 'order');
  });

  itWith(['wget'], 'sees wget, with GnuTLS', async () => {
    const server = await nodeServer();
    const urls = Array.from({ length: REQUESTS }, (_, i) => `https://127.0.0.1:${server.port}${pathOf(i)}`);
    const wget = () =>
      run('wget', ['-q', '--no-check-certificate', '-O', '/dev/null', ...urls]).catch(() => {
        // It complains of what is missing.
      });
    // Once before, so that the library is known when it counts.
    const { clients } = await observe([server.pid], ['wget'], async () => {
      await wget();
      await wget();
    });
    const again = clients.slice(-REQUESTS).map((span, i) => ({ ...span, spanId: String(i) }));
    expectExact(again, server, 'gnutls', 'call');
  });

  for (const flags of ['', '-s -w']) {
    it.skipIf(!isInstalled('go'))(`sees a Go server${flags === '' ? '' : ' that was stripped'}`, async () => {
      const server = await serve(buildGo(flags), [certificate.key, certificate.cert]);
      const { servers } = await observe([server.pid], [], () => curl(server));
      expectExact(servers, server, 'go', 'descriptor');
    });
  }

  it('finds a library whose file was deleted', async () => {
    const folder = join(certificate.folder, 'lib');
    mkdirSync(folder);
    const libssl = execFileSync('sh', ['-c', 'ldconfig -p | grep -m1 -o "/.*/libssl.so.3$"'], {
      encoding: 'utf8',
    }).trim();
    copyFileSync(realpathSync(libssl), join(folder, 'libssl.so.3'));
    const server = await pythonServer({ LD_LIBRARY_PATH: folder });
    rmSync(folder, { recursive: true });
    const { servers } = await observe([server.pid], [], () => curl(server));
    expectExact(servers, server, 'openssl', 'call');
  });

  it('leaves a library alone whose probes would cost too much, and counts the refusal', async () => {
    const server = await pythonServer();
    const observation = await observe([server.pid], [], () => curl(server), {
      tls: { max_probe_cost: '1us' },
    });
    expect(observation.spans).toEqual([]);
    expect(observation.metric('tls_libraries_refused')).toBe(1);
    expect(observation.metric('tls_probes_held')).toBe(0);
  });

  it('does nothing when it is off', async () => {
    const server = await pythonServer();
    const observation = await observe([server.pid], [], () => curl(server), { tls: { enabled: false } });
    expect(observation.spans).toEqual([]);
    expect(observation.metric('tls_files_read')).toBe(0);
  });
});
