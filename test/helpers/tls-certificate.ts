import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A self-signed certificate for localhost, made for one test run. */
export class TestCertificate implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'kindling-tls-'));
  readonly key = join(this.folder, 'key.pem');
  readonly cert = join(this.folder, 'cert.pem');

  constructor() {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-nodes', '-days', '2', ...subject, '-keyout', this.key, '-out', this.cert],
      { stdio: 'ignore' },
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}
