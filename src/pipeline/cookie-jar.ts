/**
 * The cookies of one server (RFC 6265), as a client that talks to one origin needs them: kept in memory, sent back until
 * they expire. At most 50 cookies of 4 KiB, what section 6.1 asks for.
 */
const MAX_COOKIES = 50;
const MAX_COOKIE_BYTES = 4096;

interface Cookie {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresMs: number;
  readonly path: string;
  readonly isSecure: boolean;
}

export class CookieJar {
  readonly #now: () => number;
  readonly #cookies = new Map<string, Cookie>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the `set-cookie` headers of an answer from `url`. Those for other domains are ignored. */
  store(headers: readonly string[] | undefined, url: URL): void {
    for (const header of headers ?? []) {
      if (header.length <= MAX_COOKIE_BYTES) this.#take(header, url);
    }
  }

  /** The `cookie` header of a request to `url`; undefined when there is nothing to send. */
  headerFor(url: URL): string | undefined {
    const pairs: string[] = [];
    for (const [name, cookie] of this.#cookies) {
      if (cookie.expiresMs <= this.#now()) this.#cookies.delete(name);
      else if (isForPath(cookie.path, url.pathname) && (!cookie.isSecure || url.protocol === 'https:')) {
        pairs.push(`${name}=${cookie.value}`);
      }
    }
    return pairs.length === 0 ? undefined : pairs.join('; ');
  }

  #take(header: string, url: URL): void {
    const [pair = '', ...rest] = header.split(';');
    const [name, value] = splitPair(pair);
    if (name === '' || !pair.includes('=')) return;
    const attributes = new Map(
      rest.map((text) => splitPair(text)).map(([key, text]) => [key.toLowerCase(), text]),
    );
    const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase();
    if (domain !== '' && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) return;
    const expiresMs = this.#expiry(attributes);
    this.#cookies.delete(name);
    if (expiresMs <= this.#now()) return;
    const oldest = this.#cookies.keys().next();
    if (this.#cookies.size === MAX_COOKIES && oldest.done !== true) this.#cookies.delete(oldest.value);
    const path = attributes.get('path') ?? '';
    this.#cookies.set(name, {
      value,
      expiresMs,
      path: path.startsWith('/') ? path : url.pathname.replace(/\/[^/]*$/, '') || '/',
      isSecure: attributes.has('secure'),
    });
  }

  /** Max-Age wins over Expires (section 5.3); neither, and one that can not be read: until we end. */
  #expiry(attributes: ReadonlyMap<string, string>): number {
    const maxAge = attributes.get('max-age') ?? '';
    if (/^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0 ? 0 : this.#now() + Number(maxAge) * 1000;
    const expires = Date.parse(attributes.get('expires') ?? '');
    return Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires;
  }
}

function splitPair(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/** Section 5.1.4. */
const isForPath = (path: string, wanted: string): boolean =>
  wanted === path || wanted.startsWith(path.endsWith('/') ? path : `${path}/`);
