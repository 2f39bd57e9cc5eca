/**
 * How an HTTP client keeps connections: fields and defaults of the Collector's `confighttp`
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/config/confighttp).
 */
import { z } from 'zod';
import { duration } from '../config/fields.js';

export const httpClientFields = (writeBufferSize = 0) => ({
  proxy_url: z
    .string()
    .default('')
    .describe(
      'HTTP proxy to send through, `http://` or `https://`. Empty: HTTP_PROXY, HTTPS_PROXY and NO_PROXY decide, ' +
        'and loopback is never proxied.',
    ),
  max_idle_conns: z
    .int()
    .default(100)
    .describe('Connections to keep open between requests. 0 means no limit, less than 0 none at all.'),
  max_idle_conns_per_host: z
    .int()
    .default(0)
    .describe('The same for each host; the smaller one counts. 0 means as `max_idle_conns`.'),
  max_conns_per_host: z
    .int()
    .default(0)
    .describe('Connections to have at most; further requests wait for one. 0 means no limit.'),
  idle_conn_timeout: duration()
    .prefault('90s')
    .describe('Close a connection that was not used for this long. 0 means never.'),
  disable_keep_alives: z.boolean().default(false).describe('Open a new connection for each request.'),
  cookies: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Send the server's cookies back to it."),
    })
    .optional()
    .describe('For load balancers that tie a client to one server. Left out: cookies are ignored.'),
  read_buffer_size: z
    .int()
    .default(0)
    .describe('Accepted; changes nothing: Node.js sizes its buffers itself.'),
  write_buffer_size: z.int().default(writeBufferSize).describe('Accepted, as `read_buffer_size`.'),
  force_attempt_http2: z
    .boolean()
    .default(true)
    .describe('Accepted; changes nothing: requests are HTTP/1.1.'),
  http2_read_idle_timeout: duration().prefault('0s').describe('Accepted, as `force_attempt_http2`.'),
  http2_ping_timeout: duration().prefault('0s').describe('Accepted, as `force_attempt_http2`.'),
});

export type HttpClientConfig = z.output<z.ZodObject<ReturnType<typeof httpClientFields>>>;
