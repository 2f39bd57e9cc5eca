/** Who the programs call: answers `GET /wait?ms=N` after N ms. On stdout: READY and the port. Ends with its stdin. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const ms = Number(new URL(request.url, 'http://peer').searchParams.get('ms'));
  setTimeout(() => response.end('ok'), ms);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.stdout.write(`READY ${server.address().port}\n`));
process.stdin.on('end', () => process.exit(0)).resume();
