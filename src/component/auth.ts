/**
 * What authentication extensions give to receivers and exporters that name them in `auth:`. An extension publishes itself
 * under its id when it starts, and extensions start first.
 */
import type { Host, ServiceKey } from './component.js';

/** A request's headers, names in lower case; of a repeated header a list. */
export type AuthSources = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Decides who may send. */
export interface ServerAuthenticator {
  /** Undefined when the client may; else the sentence to tell it. It must not contain what the client sent. */
  problem(sources: AuthSources): string | undefined;
}

/** Proves to a server who we are. */
export interface ClientAuthenticator {
  /** Headers to add, names in lower case. Asked for each request, because a token may change. */
  headers(): Readonly<Record<string, string>>;
}

/** One extension may be both, or one of them. */
export interface Authenticator {
  readonly server?: ServerAuthenticator;
  readonly client?: ClientAuthenticator;
}

export const authenticatorKey = (id: string): ServiceKey<Authenticator> => ({ name: `authenticator ${id}` });

/**
 * `auth` of a server; undefined lets everybody in. Throws the Collector's sentence when `id` names no such extension. The
 * extension is asked anew for each request: a reload may replace it while the server keeps its listener.
 */
export function serverAuthenticator(host: Host, id: string | undefined): ServerAuthenticator | undefined {
  if (id === undefined) return undefined;
  const current = (): ServerAuthenticator => {
    const { server } = resolve(host, id);
    if (server === undefined) throw new Error('requested authenticator is not a server authenticator');
    return server;
  };
  current();
  return { problem: (sources) => current().problem(sources) };
}

/** `auth` of a client; undefined adds nothing. Throws as `serverAuthenticator`. */
export function clientAuthenticator(
  host: Host,
  id: string | undefined,
  protocol: 'gRPC' | 'HTTP',
): ClientAuthenticator | undefined {
  if (id === undefined) return undefined;
  const current = (): ClientAuthenticator => {
    const { client } = resolve(host, id);
    if (client === undefined)
      throw new Error(`requested authenticator is not a ${protocol} client authenticator`);
    return client;
  };
  current();
  return { headers: () => current().headers() };
}

function resolve(host: Host, id: string): Authenticator {
  const found = host.service(authenticatorKey(id), 'live');
  if (found === undefined)
    throw new Error(`failed to resolve authenticator "${id}": authenticator not found`);
  return found;
}

/** The value of a header, or of the first where it was repeated; '' when it is missing. */
export function sourceOf(sources: AuthSources, name: string): string {
  const value = sources[name.toLowerCase()];
  return (typeof value === 'string' ? value : value?.[0]) ?? '';
}
