/**
 * Which servers speak HTTP/1.x, by address and port. Only used to count: when every record that could have shown the
 * protocol of a connection was lost, its lost messages count as requests if other connections to the same server are
 * HTTP, now or later.
 */
const MAX_ENDPOINTS = 1024;

interface Endpoint {
  http: boolean;
  /** Requests of connections to it that were never recognized. */
  server: number;
  client: number;
}

export class HttpEndpoints {
  readonly #endpoints = new Map<string, Endpoint>();

  /** `key` speaks HTTP. Returns the requests that were kept back for it until now. */
  confirm(key: string): { server: number; client: number } | undefined {
    const endpoint = this.#get(key);
    if (endpoint.http) return undefined;
    endpoint.http = true;
    const { server, client } = endpoint;
    endpoint.server = 0;
    endpoint.client = 0;
    return server + client > 0 ? { server, client } : undefined;
  }

  isHttp(key: string): boolean {
    return this.#endpoints.get(key)?.http === true;
  }

  /** `count` requests to `key` left no trace. Returns how many of them are known to be HTTP now. */
  unrecognized(key: string, side: 'server' | 'client', count: number): number {
    const endpoint = this.#get(key);
    if (endpoint.http) return count;
    endpoint[side] += count;
    return 0;
  }

  #get(key: string): Endpoint {
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      if (this.#endpoints.size >= MAX_ENDPOINTS) {
        const oldest = this.#endpoints.keys().next().value;
        if (oldest !== undefined) this.#endpoints.delete(oldest);
      }
      endpoint = { http: false, server: 0, client: 0 };
      this.#endpoints.set(key, endpoint);
    }
    return endpoint;
  }
}
