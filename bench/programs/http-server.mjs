// A plain HTTP server, or HTTPS with the files of a key and a certificate as arguments: the watched application of
// bench/overhead. Prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

const body = 'x'.repeat(128);
const answer = (_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(body);
};
const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file));
const server = key === undefined ? createServer(answer) : createTlsServer({ key, cert }, answer);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
