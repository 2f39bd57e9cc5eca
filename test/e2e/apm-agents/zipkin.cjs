// Traces of two spans each with Zipkin's library for Node.js: v2 JSON over HTTP. Arguments: port, number of traces.
const { Annotation, BatchRecorder, ExplicitContext, jsonEncoder, Tracer } = require('zipkin');
const { HttpLogger } = require('zipkin-transport-http');
const [port, count] = process.argv.slice(2).map(Number);
const recorder = new BatchRecorder({
  logger: new HttpLogger({
    endpoint: `http://127.0.0.1:${port}/api/v2/spans`,
    jsonEncoder: jsonEncoder.JSON_V2,
    httpInterval: 50,
    log: console,
  }),
});
const ctx = new ExplicitContext();
const tracer = new Tracer({
  ctxImpl: ctx,
  recorder,
  localServiceName: 'zipkin-agent-test',
  traceId128Bit: true,
});
function span(id, name, start, end) {
  tracer.setId(id);
  tracer.recordServiceName('zipkin-agent-test');
  tracer.recordRpc(name);
  tracer.recordAnnotation(start);
  tracer.recordBinary('http.path', '/books');
  tracer.recordAnnotation(end);
}
for (let index = 0; index < count; index++) {
  tracer.scoped(() => {
    const root = tracer.createRootId();
    tracer.letId(root, () => {
      const child = tracer.createChildId();
      span(child, 'child', new Annotation.ClientSend(), new Annotation.ClientRecv());
      span(root, 'parent', new Annotation.ServerRecv(), new Annotation.ServerSend());
    });
  });
}
// The library's timer does not keep a program alive.
setTimeout(() => {}, 20_000);
