/**
 * A Node.js server on its event loop; the script language and the two channels are those of threads.c. `lock` does
 * nothing here: one thread has nobody to wait for.
 */
import { randomBytes } from 'node:crypto';
import { openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, createServer, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const { OTLP_PORT, PEER_PORT, READ_FILE } = process.env;
const SERVER = 2;
const CLIENT = 3;
const keepAlive = new Agent({ keepAlive: true });
const toExporter = new Agent({ keepAlive: true, maxSockets: 1 });
const now = () => process.hrtime.bigint();
const offset = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)) - now();
const schedstat = openSync('/proc/thread-self/schedstat', 'r');
const line = Buffer.alloc(96);
let spans = [];
let truth = '';

/** Time in which the loop was ready and not running, by the scheduler's own count. */
const waitedForCpu = () =>
  BigInt(line.toString('latin1', 0, readSync(schedstat, line, 0, 96, 0)).split(' ')[1]);

const ops = {
  burn: async (_, ms) => {
    const until = now() + BigInt(ms) * 1_000_000n;
    while (now() < until);
  },
  sleep: (_, ms) => sleep(ms),
  lock: async () => {},
  read: () => readFile(READ_FILE),
  call: callPeer,
};

function get(port, path, headers) {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port, path, headers, agent: keepAlive }, (response) => {
      response.on('end', resolve).resume();
    })
      .on('error', reject)
      .end();
  });
}

async function callPeer(server, ms) {
  const span = begin(CLIENT, server.trace, server.span);
  const headers = { traceparent: `00-${span.trace}-${span.span}-01` };
  const from = now();
  await get(PEER_PORT, `/wait?ms=${ms}`, headers);
  span.steps.push({ op: 'call', from, to: now() });
  end(span);
}

const begin = (kind, trace, parent) => ({
  trace,
  span: randomBytes(8).toString('hex'),
  parent,
  kind,
  start: now(),
  end: 0n,
  steps: [],
});

function end(span) {
  span.end = now();
  const { trace, span: spanId, parent, kind, start } = span;
  spans.push({
    traceId: trace,
    spanId,
    parentSpanId: parent,
    name: kind === SERVER ? 'GET /run' : 'GET /wait',
    kind,
    startTimeUnixNano: String(start + offset),
    endTimeUnixNano: String(span.end + offset),
  });
  truth += `${JSON.stringify({ ...span, tid: process.pid }, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}\n`;
}

async function serve(request, response) {
  const [, trace, parent] = request.headers.traceparent.split('-');
  const span = begin(SERVER, trace, parent);
  const script = new URL(request.url, 'http://truth').searchParams.get('s');
  for (const step of script.split(',')) {
    const [op, ms] = step.split(':');
    const waited = waitedForCpu();
    const from = now();
    await ops[op](span, Number(ms));
    span.steps.push({ op, from, to: now(), ...(op === 'burn' ? { runqueue: waitedForCpu() - waited } : {}) });
  }
  response.end('ok');
  end(span);
}

const server = createServer((request, response) => void serve(request, response));
server.listen(0, '127.0.0.1', () => process.stdout.write(`READY ${server.address().port}\n`));

const flush = () => {
  if (spans.length === 0) return;
  const attributes = [{ key: 'service.name', value: { stringValue: 'truth-node' } }];
  const body = JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans }] }] });
  spans = [];
  const headers = { 'content-type': 'application/json' };
  httpRequest({
    host: '127.0.0.1',
    port: OTLP_PORT,
    path: '/v1/traces',
    method: 'POST',
    headers,
    agent: toExporter,
  })
    .on('response', (response) => response.resume())
    .on('error', (error) => process.stderr.write(`${error}\n`))
    .end(body);
  process.stdout.write(truth);
  truth = '';
};
setInterval(flush, 200);
process.stdin.on('end', () => setTimeout(() => process.exit(0), 500)).resume();
