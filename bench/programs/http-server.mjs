// A plain HTTP server, the watched application of bench/overhead.ts. Prints its port.
import { createServer } from 'node:http';

const body = 'x'.repeat(128);
const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
