import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  type SecureContextOptions,
} from 'node:tls';
import { type ChannelCredentials, credentials, type VerifyOptions } from '@grpc/grpc-js';
import type { Logger } from '../../telemetry/logger.js';
import { reloadCertificates } from '../../transport/reload-certificates.js';
import { readClientTls } from '../../transport/tls-files.js';
import type { OtlpGrpcConfig } from './config.js';

export interface Credentials {
  readonly channel: ChannelCredentials;
  /** The same for our own client, when they mean TLS. */
  readonly tls?: ConnectionOptions;
}

/**
 * Credentials as the file asks for them; undefined when it leaves the choice to the environment and to the endpoint's
 * scheme. The scheme decides before `tls.insecure`.
 */
export async function credentialsOf({ endpoint, tls }: OtlpGrpcConfig): Promise<Credentials | undefined> {
  if (endpoint.startsWith('http://')) return { channel: credentials.createInsecure() };
  if (tls === undefined) return undefined;
  if (tls.insecure && !endpoint.startsWith('https://')) return { channel: credentials.createInsecure() };
  const { server_name_override: expectedName, insecure_skip_verify: skipVerify } = tls;
  const secureContext = createSecureContext(await readClientTls(tls));
  const verification: VerifyOptions = {
    rejectUnauthorized: !skipVerify,
    ...(expectedName === undefined
      ? {}
      : { checkServerIdentity: (_host, certificate) => checkServerIdentity(expectedName, certificate) }),
  };
  return {
    channel: credentials.createFromSecureContext(secureContext, verification),
    tls: {
      secureContext,
      rejectUnauthorized: !skipVerify,
      // What is sent to the server, and what its certificate must say.
      ...(expectedName === undefined ? {} : { servername: expectedName }),
    },
  };
}

/** Puts certificates that are read again into `options`, for the next connection. Call what it returns to stop. */
export function reloadTls(
  options: ConnectionOptions,
  tls: NonNullable<OtlpGrpcConfig['tls']>,
  logger: Pick<Logger, 'error'>,
): () => void {
  const apply = (certificates: SecureContextOptions): void => {
    options.secureContext = createSecureContext(certificates);
  };
  return reloadCertificates(tls.reload_interval, () => readClientTls(tls), apply, logger);
}
