// Requests through two HTTP servers of one process with SkyWalking's agent for Node.js: segments over gRPC.
// Arguments: port, number of requests.
const { default: agent } = require('skywalking-backend-js');
const [port, count] = process.argv.slice(2).map(Number);
agent.start({
  serviceName: 'skywalking-agent-test',
  serviceInstance: 'one',
  collectorAddress: `127.0.0.1:${port}`,
});
const http = require('node:http');
const listen = (handler) =>
  new Promise((resolve) => {
    const server = http.createServer(handler).listen(0, '127.0.0.1', () => resolve(server));
  });
const get = (to, path) =>
  new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: to.address().port, path, method: 'GET' },
      (response) => {
        response.on('end', resolve).resume();
      },
    );
    request.on('error', reject).end();
  });
(async () => {
  const inner = await listen((_, response) => response.end('inner'));
  const outer = await listen((_, response) => get(inner, '/inner').then(() => response.end('outer')));
  for (let index = 0; index < count; index++) await get(outer, '/outer');
  await agent.flush();
  process.send?.('done');
  // The agent reports in the background: the test ends it when everything has arrived.
  setTimeout(() => process.exit(0), 20_000);
})();
