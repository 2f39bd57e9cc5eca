/** An old service without any instrumentation: what is known of it is what the kernel sees. */
import http from 'node:http';
import { endWithSupervisor, reportReady } from '../lib/lifecycle.mjs';

const server = http.createServer((_request, response) => {
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"rate":1.07}\n');
  }, 60);
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  reportReady({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
endWithSupervisor(async () => undefined);
