import { readFile } from 'node:fs/promises';
import {
  type AuthSources,
  authenticatorKey,
  type ClientAuthenticator,
  type ServerAuthenticator,
  sourceOf,
} from '../../component/auth.js';
import type { Extension, Host, Settings } from '../../component/component.js';
import type { BasicAuthConfig } from './config.js';
import { type PasswordCheck, parseHtpasswd } from './htpasswd.js';

const SCHEME = /^basic /i;

/** User name and password (RFC 7617). With `htpasswd` it is a server's, with `client_auth` a client's. */
export class BasicAuth implements Extension {
  readonly #settings: Settings;
  readonly #config: BasicAuthConfig;

  constructor(settings: Settings, config: BasicAuthConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** Rejects when a file can't be read or holds something else. */
  async start(host: Host): Promise<void> {
    const { htpasswd, client_auth: client } = this.#config;
    const key = authenticatorKey(this.#settings.id);
    if (htpasswd !== undefined) {
      const file = htpasswd.file === '' ? '' : await readFile(htpasswd.file, 'utf8');
      const users = new Map([...parseHtpasswd(file), ...parseHtpasswd(htpasswd.inline?.reveal() ?? '')]);
      host.provide(key, { server: serverOf(users) });
    }
    if (client !== undefined) {
      const name = client.username_file === '' ? client.username : await firstLine(client.username_file);
      const password =
        client.password_file === ''
          ? (client.password?.reveal() ?? '')
          : await firstLine(client.password_file);
      host.provide(key, { client: clientOf(name, password) });
    }
  }

  async shutdown(): Promise<void> {}
}

const firstLine = async (path: string): Promise<string> => (await readFile(path, 'utf8')).trim();

function clientOf(name: string, password: string): ClientAuthenticator {
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
  return { headers: () => ({ authorization }) };
}

function serverOf(users: ReadonlyMap<string, PasswordCheck>): ServerAuthenticator {
  return {
    problem(sources: AuthSources) {
      const given = sourceOf(sources, 'authorization');
      if (given === '') return 'no basic auth provided';
      if (!SCHEME.test(given)) return 'invalid authorization scheme prefix';
      const encoded = given.slice('Basic '.length);
      if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
        return 'invalid authorization format';
      const pair = Buffer.from(encoded, 'base64').toString('utf8');
      const colon = pair.indexOf(':');
      if (colon < 0) return 'invalid authorization format';
      const check = users.get(pair.slice(0, colon));
      return check?.(pair.slice(colon + 1)) === true ? undefined : 'invalid credentials';
    },
  };
}
