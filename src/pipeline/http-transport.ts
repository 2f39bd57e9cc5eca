/**
 * One POST of ready bytes, on `node:http`.
 *
 * The settings come from the official package (@opentelemetry/otlp-exporter-base 0.223, `convertLegacyHttpOptions`), so
 * that URL, headers, certificates and OTEL_EXPORTER_OTLP_* mean what they mean in every SDK. Its transport is not used:
 * it sits behind a layer that retries five times inside the time limit and then forgets Retry-After, and it throws the
 * body of a retryable answer away, while our retries are `retry_on_failure` and a client behind us wants to know why.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { CookieJar } from './cookie-jar.js';
import type { HttpConnection } from './http-connection.js';
import type { HttpProxy } from './http-proxy.js';
import type { Compress } from './otlp-export/compress.js';

/** Below this, a request is one packet anyway. */
const COMPRESS_MIN_BYTES = 512;
const MAX_REDIRECTS = 10;
/** An answer is a few bytes; more than this is somebody else's and is cut. */
const MAX_RESPONSE_BYTES = 64 * 1024;

export interface HttpTransportOptions {
  readonly url: string;
  /** Asked for each request, because they may hold a token that expires. */
  readonly headers: () => Promise<Record<string, string>>;
  readonly connection: HttpConnection;
  /** Left out: cookies are ignored. */
  readonly cookies?: CookieJar | undefined;
  /** Left out: bodies go as they are. */
  readonly compression?: { readonly name: string; readonly compress: Compress } | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** At most 64 KiB. */
  readonly body: Buffer;
}

export class HttpTransport {
  readonly #options: HttpTransportOptions;
  readonly #url: URL;

  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
  }

  get url(): string {
    return this.#options.url;
  }

  /** Resolves with whatever the server answers; rejects when there is no answer. */
  async post(bytes: Uint8Array, abort: AbortSignal): Promise<HttpAnswer> {
    const headers = await this.#options.headers();
    const compression = bytes.length < COMPRESS_MIN_BYTES ? undefined : this.#options.compression;
    const body = compression === undefined ? bytes : await compression.compress(bytes);
    const all = {
      ...headers,
      ...(compression === undefined ? {} : { 'content-encoding': compression.name }),
      'content-length': String(body.length),
    };
    let url = this.#url;
    for (let redirects = 0; ; redirects++) {
      const cookie = this.#options.cookies?.headerFor(url);
      const answer = await this.#exchange(url, body, cookie === undefined ? all : { ...all, cookie }, abort);
      this.#options.cookies?.store(answer.headers['set-cookie'], url);
      const next = redirectOf(answer, url);
      if (next === undefined) return answer;
      if (redirects === MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
      url = next;
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#options.connection.agent.destroy();
  }

  #exchange(
    url: URL,
    body: Uint8Array,
    headers: http.OutgoingHttpHeaders,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { agent, forwardProxy } = this.#options.connection;
      const peer = forwardProxy?.url ?? url;
      const { request } = peer.protocol === 'https:' ? https : http;
      const target = forwardProxy === undefined ? { headers } : viaProxy(forwardProxy, url, headers);
      const sent = request(peer, { ...target, method: 'POST', agent, signal }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        const done = (): void => {
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, body: Buffer.concat(chunks) });
        };
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAX_RESPONSE_BYTES) {
            chunks.push(chunk);
          } else {
            done();
            response.destroy();
          }
        });
        response.on('end', done);
        // Of a refusal the status is enough. Of a success not: the peer may have died before it kept what it took.
        const cut = (): void => {
          const { statusCode: status = 0 } = response;
          if (status >= 200 && status <= 299) reject(new Error('unexpected EOF'));
          else done();
        };
        response.on('error', cut);
        response.on('aborted', cut);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

/** A proxy gets the whole URL (RFC 9112 section 3.2.2), and our credentials for it in a header. */
const viaProxy = (proxy: HttpProxy, url: URL, headers: http.OutgoingHttpHeaders): http.RequestOptions => ({
  path: `${url.origin}${url.pathname}${url.search}`,
  auth: null,
  headers: { host: url.host, ...headers, ...proxy.headers },
});

/**
 * Where to send the same request again. Only 307 and 308 keep method and body (RFC 9110 section 15.4); what followed another
 * redirect would be a GET, and the data lost. Other servers don't get our credentials.
 */
function redirectOf({ status, headers }: HttpAnswer, from: URL): URL | undefined {
  if ((status !== 307 && status !== 308) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) return undefined;
  const to = new URL(headers.location, from);
  return to.origin === from.origin ? to : undefined;
}
