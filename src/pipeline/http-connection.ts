/** What an HTTP client's settings make of connections: certificates, limits, keeping, proxy. */
import * as http from 'node:http';
import * as https from 'node:https';
import { checkServerIdentity, createSecureContext, type SecureContextOptions } from 'node:tls';
import type { z } from 'zod';
import type { tlsClient } from '../config/fields.js';
import type { Logger } from '../telemetry/logger.js';
import { reloadCertificates } from '../transport/reload-certificates.js';
import { readClientTls } from '../transport/tls-files.js';
import { TunnelAgent } from './connect-tunnel.js';
import type { HttpClientConfig } from './http-client-fields.js';
import { type HttpProxy, proxyFromEnvironment, proxyFromUrl } from './http-proxy.js';

/** What a timer of Node.js can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface HttpConnection {
  readonly agent: http.Agent | https.Agent;
  /** Takes requests for http:// URLs whole. Requests to https:// URLs go through the agent's tunnel. */
  readonly forwardProxy?: HttpProxy | undefined;
}

/** `tls`: from `tlsOptionsOf`, or from the environment. Throws when the proxy's URL is wrong. */
export function httpConnectionOf(
  url: URL,
  config: HttpClientConfig,
  tls: https.AgentOptions,
): HttpConnection {
  const { proxy_url: proxyUrl } = config;
  const proxy = proxyUrl === '' ? proxyFromEnvironment(url, process.env) : proxyFromUrl(proxyUrl);
  const options = { ...tls, ...poolOptions(config) };
  if (proxy === undefined) {
    return { agent: url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options) };
  }
  if (url.protocol === 'https:') return { agent: new TunnelAgent(proxy, options) };
  const agent = proxy.url.protocol === 'https:' ? new https.Agent(options) : new http.Agent(options);
  return { agent, forwardProxy: proxy };
}

/** Certificates of `tls`, and what to check of the server's. */
export async function tlsOptionsOf(
  tls: z.output<ReturnType<typeof tlsClient>> | undefined,
): Promise<https.AgentOptions> {
  if (tls === undefined) return {};
  const expectedName = tls.server_name_override;
  return {
    ...(await readClientTls(tls)),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(expectedName === undefined
      ? {}
      : {
          servername: expectedName,
          checkServerIdentity: (_host, certificate) => checkServerIdentity(expectedName, certificate),
        }),
  };
}

/** Reads the files of `tls` again at its `reload_interval`. Call what it returns to stop. */
export function reloadClientTls(
  { agent }: HttpConnection,
  tls: z.output<ReturnType<typeof tlsClient>> | undefined,
  logger: Pick<Logger, 'error'>,
): () => void {
  if (tls === undefined || !(agent instanceof https.Agent)) return () => {};
  const apply = (certificates: SecureContextOptions): void => {
    createSecureContext(certificates); // throws when they are none
    Object.assign(agent.options, certificates);
  };
  return reloadCertificates(tls.reload_interval, () => readClientTls(tls), apply, logger);
}

function poolOptions(config: HttpClientConfig): http.AgentOptions {
  const limits = [config.max_idle_conns, config.max_idle_conns_per_host].filter((limit) => limit !== 0);
  const mostIdle = Math.min(Number.POSITIVE_INFINITY, ...limits);
  return {
    keepAlive: !config.disable_keep_alives && mostIdle > 0,
    maxFreeSockets: Math.max(1, mostIdle),
    maxSockets: config.max_conns_per_host > 0 ? config.max_conns_per_host : Number.POSITIVE_INFINITY,
    // Node.js ends only a connection that is idle; a request just hears of it.
    ...(config.idle_conn_timeout > 0 ? { timeout: Math.min(config.idle_conn_timeout, MAX_TIMER_MS) } : {}),
  };
}
