import { checkServerIdentity, createSecureContext } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { readClientTls } from '../../transport/tls-files.js';
import type { OtlpGrpcConfig } from './config.js';

/**
 * Channel credentials as the file asks for them; undefined when it leaves the choice to the environment and to the
 * endpoint's scheme. The scheme decides before `tls.insecure`, as in a Collector.
 */
export async function credentialsOf({
  endpoint,
  tls,
}: OtlpGrpcConfig): Promise<ChannelCredentials | undefined> {
  if (endpoint.startsWith('http://')) return credentials.createInsecure();
  if (tls === undefined) return undefined;
  if (tls.insecure && !endpoint.startsWith('https://')) return credentials.createInsecure();
  const { server_name_override: expectedName, insecure_skip_verify: skipVerify } = tls;
  return credentials.createFromSecureContext(createSecureContext(await readClientTls(tls)), {
    rejectUnauthorized: !skipVerify,
    ...(expectedName === undefined
      ? {}
      : { checkServerIdentity: (_host, certificate) => checkServerIdentity(expectedName, certificate) }),
  });
}
