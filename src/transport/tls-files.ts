/**
 * Certificates and keys from files or from the configuration's text, as Node.js wants them.
 *
 * Field names are those of the Collector's `configtls`
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/config/configtls).
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions, SecureVersion, TlsOptions } from 'node:tls';
import { rootCertificates } from 'node:tls';
import type { Opaque } from '../config/opaque.js';

type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3';

const TLS_VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
};

/** What server and client have in common. */
export interface TlsFiles {
  readonly ca_file?: string | undefined;
  readonly ca_pem?: Opaque | undefined;
  readonly cert_file?: string | undefined;
  readonly cert_pem?: Opaque | undefined;
  readonly key_file?: string | undefined;
  readonly key_pem?: Opaque | undefined;
  readonly min_version: TlsVersion;
  readonly max_version?: TlsVersion | undefined;
  readonly cipher_suites: readonly string[];
}

export interface ServerTlsFiles extends TlsFiles {
  readonly client_ca_file?: string | undefined;
}

export interface ClientTlsFiles extends TlsFiles {
  readonly include_system_ca_certs_pool: boolean;
}

/** Reads what a server needs. With `client_ca_file` a client must present a certificate (mTLS). */
export async function readServerTls(files: ServerTlsFiles): Promise<TlsOptions> {
  const context = await readContext(files);
  if (files.client_ca_file === undefined) return context;
  return {
    ...context,
    ca: await readPem('client CA', files.client_ca_file),
    requestCert: true,
    rejectUnauthorized: true,
  };
}

/** Reads what a client needs; `ca` is set only when the file replaces or extends the built-in authorities. */
export async function readClientTls(files: ClientTlsFiles): Promise<SecureContextOptions> {
  const context = await readContext(files);
  const ca = files.ca_file === undefined ? files.ca_pem?.reveal() : await readPem('CA', files.ca_file);
  if (ca === undefined) return context;
  // OpenSSL would trust nobody, and not say why.
  if (!hasCertificate(ca)) {
    throw new Error(
      `failed to load TLS config: failed to load CA: no certificate in ${files.ca_file ?? 'ca_pem'}`,
    );
  }
  return { ...context, ca: files.include_system_ca_certs_pool ? [...rootCertificates, ca] : ca };
}

function hasCertificate(pem: string | Buffer): boolean {
  try {
    return new X509Certificate(pem) !== undefined;
  } catch {
    return false;
  }
}

async function readContext(files: TlsFiles): Promise<SecureContextOptions> {
  const cert =
    files.cert_file === undefined
      ? files.cert_pem?.reveal()
      : await readPem('TLS cert and key', files.cert_file);
  const key =
    files.key_file === undefined
      ? files.key_pem?.reveal()
      : await readPem('TLS cert and key', files.key_file);
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    minVersion: TLS_VERSIONS[files.min_version],
    ...(files.max_version === undefined ? {} : { maxVersion: TLS_VERSIONS[files.max_version] }),
    ...(files.cipher_suites.length === 0 ? {} : { ciphers: files.cipher_suites.join(':') }),
  };
}

async function readPem(what: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`failed to load TLS config: failed to load ${what} ${path}: ${message}`, {
      cause: error,
    });
  }
}
