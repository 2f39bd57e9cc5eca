// Traces of two spans each with Jaeger's client for Node.js: binary Thrift over UDP. Arguments: port, number of traces.
const { initTracer } = require('jaeger-client');
const [port, count] = process.argv.slice(2).map(Number);
const tracer = initTracer(
  {
    serviceName: 'jaeger-agent-test',
    sampler: { type: 'const', param: 1 },
    reporter: { agentHost: '127.0.0.1', agentPort: port, flushIntervalMs: 100 },
  },
  { logger: { info() {}, error: (text) => console.error(text) } },
);
// One after the other: what is reported while the client sends a full datagram is lost in the client.
let index = 0;
function next() {
  if (index === count) {
    setTimeout(() => tracer.close(() => {}), 300);
    return;
  }
  const parent = tracer.startSpan('parent', { tags: { 'span.kind': 'server', 'http.status_code': 200 } });
  const child = tracer.startSpan('child', { childOf: parent, tags: { 'span.kind': 'client' } });
  child.log({ event: 'hit', index });
  child.finish();
  parent.finish();
  index++;
  setTimeout(next, 2);
}
next();
