// A plain HTTPS server, the watched application of bench/tls.ts. Prints its port.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'kindling-bench-tls-'));
const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
execFileSync(
  'openssl',
  ['req', '-x509', ...curve, '-nodes', '-subj', '/CN=localhost', '-keyout', keyFile, '-out', certFile],
  { stdio: 'ignore' },
);
const options = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
rmSync(folder, { recursive: true });

const body = 'x'.repeat(128);
const server = createServer(options, (_request, response) => {
  response.setHeader('content-type', 'text/plain');
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
