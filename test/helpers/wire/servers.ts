/** The one configuration that the Collector and Kindling run while they are probed. */
import type { ServerName } from './probe.js';

export interface ServerPorts {
  readonly grpc: number;
  readonly http: number;
}

export type PortsByServer = Readonly<Record<ServerName, ServerPorts>>;

interface Server {
  /** Beside the endpoint, in YAML's flow style. */
  readonly grpc?: string;
  readonly http?: string;
  readonly signals?: readonly string[];
  readonly processors?: string;
  readonly exporter?: string;
}

const ALL = ['traces', 'metrics', 'logs', 'profiles'];

/** A hash of `secret` with MD5, which costs less time than bcrypt. */
const BASIC = 'user:$apr1$8TvWsZ1n$Itu4AoyHIDMxGAVItmMfA/';

const SERVERS: Readonly<Record<ServerName, Server>> = {
  plain: {},
  traces: { signals: ['traces'] },
  small: { grpc: 'max_recv_msg_size_mib: 1', http: 'max_request_body_size: 1000' },
  options: {
    http:
      'traces_url_path: custom/path, logs_url_path: /v1/logs/, response_headers: {x-served-by: shop}, ' +
      'compression_algorithms: ["", gzip], keep_alives_enabled: false',
  },
  cors: {
    http:
      'cors: {allowed_origins: ["https://*.example.com", "http://exact.test"], ' +
      'allowed_headers: [content-type, X-Custom], exposed_headers: [X-One, X-Two], max_age: 7200}',
  },
  any_origin: { http: 'cors: {allowed_origins: ["*"]}' },
  basic: {
    grpc: 'auth: {authenticator: basicauth}',
    http: 'auth: {authenticator: basicauth}, cors: {allowed_origins: ["*"]}',
  },
  bearer: { grpc: 'auth: {authenticator: bearertokenauth}', http: 'auth: {authenticator: bearertokenauth}' },
  param: {
    grpc: 'auth: {authenticator: bearertokenauth/param}',
    http: 'auth: {authenticator: bearertokenauth/param, request_params: [token]}',
  },
  limited: { signals: ['traces', 'metrics', 'logs'], processors: 'memory_limiter' },
  to_http: { exporter: 'otlp_http', signals: ['traces'] },
};

export const SERVER_NAMES = Object.keys(SERVERS) as ServerName[];

export function yamlOf(ports: PortsByServer, backend: { grpcPort: number; httpPort: number }): string {
  const receivers = SERVER_NAMES.map((name) => {
    const { grpc = '', http = '' } = SERVERS[name];
    const of = (port: number, more: string): string =>
      `{endpoint: "127.0.0.1:${port}"${more === '' ? '' : `, ${more}`}}`;
    return `  otlp/${name}: {protocols: {grpc: ${of(ports[name].grpc, grpc)}, http: ${of(ports[name].http, http)}}}`;
  });
  const pipelines = SERVER_NAMES.flatMap((name) => {
    const { signals = ALL, processors = '', exporter = 'otlp_grpc' } = SERVERS[name];
    return signals.map(
      (signal) =>
        `    ${signal}/${name}: {receivers: [otlp/${name}], processors: [${processors}], exporters: [${exporter}]}`,
    );
  });
  return [
    'receivers:',
    ...receivers,
    'processors:',
    '  memory_limiter: {check_interval: 20ms, limit_mib: 1}',
    'exporters:',
    `  otlp_grpc: {endpoint: "127.0.0.1:${backend.grpcPort}", tls: {insecure: true}, compression: none,`,
    '    sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}',
    `  otlp_http: {endpoint: "http://127.0.0.1:${backend.httpPort}", compression: none,`,
    '    sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}',
    'extensions:',
    `  basicauth: {htpasswd: {inline: '${BASIC.replaceAll('$', '$$$$')}'}}`,
    '  bearertokenauth: {token: secret}',
    '  bearertokenauth/param: {token: secret, header: token, scheme: ""}',
    'service:',
    '  extensions: [basicauth, bearertokenauth, bearertokenauth/param]',
    // Ports of the program's own metrics are fixed by default.
    '  telemetry: {metrics: {level: none}}',
    '  pipelines:',
    ...pipelines,
    '',
  ].join('\n');
}
